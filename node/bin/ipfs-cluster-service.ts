#!/usr/bin/env node
/** The peer as a program; see ../commands/service. */
import { leanHeap } from './lean-heap.ts'
import { checkNode } from './node-version.ts'

checkNode()
if (['daemon', 'state'].some((command) => process.argv.includes(command))) leanHeap()
const { runService } = await import('../commands/service/program.ts')
const { finish, processStreams } = await import('./streams.ts')
finish(await runService(process.argv.slice(2), processStreams))
