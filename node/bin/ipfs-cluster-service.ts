#!/usr/bin/env node
/** The peer as a program; see ../commands/service. */
import { checkNode } from './node-version.ts'

checkNode()
const { runService } = await import('../commands/service/program.ts')
const { finish, processStreams } = await import('./streams.ts')
finish(await runService(process.argv.slice(2), processStreams))
