/** The cluster as a picture, with the same in words for who cannot see it. */
import { useMemo } from 'preact/hooks'
import type { JSX } from 'preact'
import type { ConnectGraph } from '../../../../src/cluster/types.ts'
import { plural, shorten } from '../../ui/index.ts'
import { networkOf, place } from './layout.ts'
import type { Network, NetworkNode } from './layout.ts'
import type { PeerRow } from './peer-rows.ts'

type Rows = ReadonlyMap<string, PeerRow>

const frame = { width: 720, height: 340 } as const

const labelOf = ({ id, name }: NetworkNode): string => name === '' ? shorten(id, 0, 8) : name.length > 16 ? `${name.slice(0, 15)}…` : name

/** Who a node is connected to, in words. */
function wordsOf (node: NetworkNode, { nodes, links }: Network, rows: Rows): string {
  const names = links.flatMap(({ from, to }) => from === node.id ? [to] : to === node.id ? [from] : [])
    .map((id) => { const found = nodes.find((other) => other.id === id); return found === undefined ? id : labelOf(found) })
  const what = [rows.get(node.id)?.isTab === true ? 'a tab' : undefined, rows.get(node.id)?.isSelf === true ? 'this peer' : undefined].filter((part) => part !== undefined)
  return `${labelOf(node)}${what.length === 0 ? '' : ` (${what.join(', ')})`}: ${names.length === 0 ? 'no connection known' : `connected to ${names.join(', ')}`}`
}

export function NetworkGraph ({ graph, rows }: { readonly graph: ConnectGraph, readonly rows: readonly PeerRow[] }): JSX.Element {
  const network = useMemo(() => networkOf(graph), [graph])
  const placed = useMemo(() => place(network, frame), [network])
  const byId: Rows = new Map(rows.map((row) => [row.id, row]))
  const at = new Map(placed.map((node) => [node.id, node]))
  return (
    <figure class="network">
      <svg viewBox={`0 0 ${frame.width} ${frame.height}`} role="img" aria-label={`${plural(network.nodes.length, 'peer')}, ${plural(network.links.length, 'connection')}`}>
        {network.links.map(({ from, to, both }) => {
          const [one, other] = [at.get(from), at.get(to)]
          return one === undefined || other === undefined ? null : <line key={`${from} ${to}`} class={both ? 'network-link' : 'network-link one-way'} x1={one.x} y1={one.y} x2={other.x} y2={other.y} />
        })}
        {placed.map((node) => {
          const row = byId.get(node.id)
          const isTab = row?.isTab === true
          const isSilent = (row?.error ?? '') !== ''
          return (
            <g key={node.id} class={`network-node ${isTab ? 'tab' : 'full'} ${row?.isSelf === true ? 'self' : ''} ${isSilent ? 'silent' : ''}`} transform={`translate(${node.x} ${node.y})`}>
              <title>{wordsOf(node, network, byId)}</title>
              {isTab ? <rect x={-8} y={-7} width={16} height={14} rx={3} /> : <circle r={9} />}
              <text y={24} text-anchor="middle">{labelOf(node)}</text>
            </g>
          )
        })}
      </svg>
      <figcaption class="network-legend">
        <span><i class="key full" aria-hidden="true" />peer</span><span><i class="key tab" aria-hidden="true" />browser tab</span><span><i class="key self" aria-hidden="true" />this peer</span><span><i class="key line" aria-hidden="true" />only one side says so</span>
      </figcaption>
      <ul class="sr-only">{network.nodes.map((node) => <li key={node.id}>{wordsOf(node, network, byId)}</li>)}</ul>
    </figure>
  )
}
