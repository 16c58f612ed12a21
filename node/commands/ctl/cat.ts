/** `ipfs-cluster-ctl cat`. */
import { nodeOf } from '../../../src/api/client/content.ts'
import { command, UsageError } from './command.ts'
import { parseTarget } from './ids.ts'

export const cat = command({
  usage: '<CID|path>', description: 'Prints a file of the cluster.',
  examples: [['cat QmT78z…', 'a file'], ['cat QmZ5Ya…/docs/readme.md', 'a file inside a directory'], ['cat bafy… | tar x', 'into another program']], flags: {},
  run: async ({ client, args, out, signal }) => {
    const target = parseTarget(args[0] ?? '')
    const node = await nodeOf(await client.content(target, { signal }))
    if (node.kind !== 'file') throw new UsageError(`error : ${target} is a ${node.kind}; use get`)
    for await (const chunk of node.content) await out.bytes(chunk)
  }
})
