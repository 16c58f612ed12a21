#!/usr/bin/env node
/** `npm start`: a full peer with an embedded store, configured when it is not; see ../commands/service/start.ts. */
import { leanHeap } from './lean-heap.ts'
import { checkNode } from './node-version.ts'

checkNode()
leanHeap()
const { runStart } = await import('../commands/service/start.ts')
const { finish, processStreams } = await import('./streams.ts')
finish(await runStart(process.argv.slice(2), processStreams))
