#!/usr/bin/env node
/** The command line of a cluster; see ../commands/ctl. */
import { checkNode } from './node-version.ts'

checkNode()
const { runCtl } = await import('../commands/ctl/program.ts')
const { finish, processStreams } = await import('./streams.ts')
finish(await runCtl(process.argv.slice(2), processStreams))
