/** `ipfs-cluster-ctl health graph`. */
import { writeFile } from 'node:fs/promises'
import { command, text, toggle } from './command.ts'
import { formatGraph } from './format/graph.ts'

export const healthGraph = command({
  usage: '', description: 'Draws which members see each other and which IPFS each of them drives, in the language of Graphviz. A double border is the peer that answers, red an IPFS that is away.',
  examples: [['health graph | dot -Tsvg > cluster.svg', 'a picture of the cluster'], ['health graph --file cluster.dot', 'into a file']],
  flags: { file: text('path', 'write it here', 'f'), allIpfsPeers: toggle('also IPFS peers outside of the cluster') },
  run: async ({ client, flags, out, signal }) => {
    const graph = formatGraph(await client.graph({ signal }), flags.allIpfsPeers)
    if (flags.file === '') await out.text(graph)
    else await writeFile(flags.file, graph)
  }
})
