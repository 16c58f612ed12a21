/** The connectivity graph in Graphviz's language. */
import { asList, asObject, asText } from '../../../../src/api/json/json.ts'
import type { JsonObject } from '../../../../src/api/json/json.ts'

/** `12*kQrX4H` */
const shortId = (id: string): string => id.length < 6 ? id : `${id.slice(0, 2)}*${id.slice(-6)}`
const linksOf = (graph: JsonObject, name: string): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(asObject(graph[name] ?? {}, name)).toSorted(([a], [b]) => a < b ? -1 : 1).map(([id, links]) => [id, asList(links, name).map((each) => asText(each, name))]))
/** Inside an HTML-like label of Graphviz. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

interface Look { readonly id: string, readonly title: string, readonly color: string, readonly shape: string, readonly peripheries?: boolean }
const node = (name: string, { id, title, color, shape, peripheries = false }: Look): string =>
  `${name} [label=< <B> ${escaped(title)} </B> <BR/> <B> ${shortId(id)} </B> > group="${id}" color="${color}" style="filled" colorscheme="x11" fontcolor="black" fontname="Arial" shape="${shape}" ${peripheries ? 'peripheries="2" ' : ''}]\n`

/** `allIpfsPeers`: also IPFS peers that no member of the cluster drives. No line end after the last brace. */
export function formatGraph (graph: JsonObject, allIpfsPeers: boolean): string {
  const self = asText(graph['cluster_id'], 'cluster_id')
  const names = asObject(graph['id_to_peername'] ?? {}, 'id_to_peername')
  const trust = asObject(graph['cluster_trust_links'] ?? {}, 'cluster_trust_links')
  const toIpfs = Object.entries(asObject(graph['cluster_to_ipfs'] ?? {}, 'cluster_to_ipfs')).map(([id, ipfs]) => [id, asText(ipfs, 'cluster_to_ipfs')] as const)
  const clusterLinks = linksOf(graph, 'cluster_links')
  const ipfsLinks = linksOf(graph, 'ipfs_links')
  const mine = new Set(toIpfs.map(([, ipfs]) => ipfs))

  const clusterNames = new Map<string, string>()
  for (const id of new Set([...clusterLinks.keys(), ...[...clusterLinks.values()].flat()])) clusterNames.set(id, `${id === self || trust[id] !== true ? 'C' : 'T'}${clusterNames.size}`)
  const ipfsNames = new Map<string, string>()
  const everyIpfs = new Set([...ipfsLinks.keys(), ...toIpfs.map(([, ipfs]) => ipfs), ...allIpfsPeers ? [...ipfsLinks.values()].flat() : []])
  for (const id of everyIpfs) if (allIpfsPeers || mine.has(id)) ipfsNames.set(id, `I${ipfsNames.size}`)
  const withIpfs = new Map(toIpfs)
  const lost = [...clusterNames.keys()].filter((id) => !withIpfs.has(id))
  const lostNames = new Map(lost.map((id, index) => [id, `I${ipfsNames.size + index}`]))

  const clusterNode = ([id, name]: readonly [string, string]): string => {
    const title = asText(names[id], 'id_to_peername')
    return node(name, { id, title: title === '' ? 'unknown' : title, color: id === self || trust[id] === true ? 'orange' : 'darkorange3', shape: 'box3d', peripheries: id === self })
  }
  const edges = (links: ReadonlyMap<string, readonly string[]>, from: ReadonlyMap<string, string>): string =>
    [...links].flatMap(([id, others]) => others.map((other) => [from.get(id), from.get(other)] as const)).filter(([a, b]) => a !== undefined && b !== undefined).map(([a, b]) => `${a} -> ${b}\n`).join('')
  const down = [...clusterNames].map(([id, name]) => withIpfs.has(id) ? `${name} -> ${ipfsNames.get(withIpfs.get(id) ?? '')}\n` : `${name} -> ${lostNames.get(id)} [style="dotted" ]\n`).join('')

  return 'digraph cluster {\n/* The nodes of the connectivity graph */\n/* The cluster-service peers */\nsubgraph  {\nrank="min"\n' +
    [...clusterNames].map(clusterNode).join('') +
    '}\n\n/* The ipfs peers */\nsubgraph  {\nrank="max"\n' +
    [...ipfsNames].map(([id, name]) => node(name, { id, title: 'IPFS', color: 'turquoise3', shape: 'cylinder' })).join('') +
    [...lostNames.values()].map((name) => `${name} [label=< <B> IPFS </B> <BR/> <B> Errored </B> > color="red" style="filled" colorscheme="x11" fontcolor="black" fontname="Arial" shape="cylinder" ]\n`).join('') +
    '}\n\n/* Edges representing active connections in the cluster */\n/* The connections among cluster-service peers */\n' + edges(clusterLinks, clusterNames) +
    '\n/* The connections between cluster peers and their ipfs daemons */\n' + down +
    '\n/* The swarm peer connections among ipfs daemons in the cluster */\n' + edges(ipfsLinks, ipfsNames) + '}'
}
