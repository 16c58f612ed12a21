#!/usr/bin/env node
/** The peer as a program; see ../commands/service. */
import { leanHeap } from './lean-heap.ts'
import { checkNode } from './node-version.ts'

checkNode()
if (process.argv.includes('daemon')) leanHeap()
else if (process.argv.includes('state')) leanHeap(25) // nobody waits for it, and it works through millions
const { runService } = await import('../commands/service/program.ts')
const { finish, processStreams } = await import('./streams.ts')
finish(await runService(process.argv.slice(2), processStreams))
