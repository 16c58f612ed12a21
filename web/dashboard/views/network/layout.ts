/** Where the peers of the drawn network stand: forces run to rest before anything is shown. */
import { forceCenter, forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force'
import type { SimulationLinkDatum, SimulationNodeDatum } from 'd3-force'
import type { ConnectGraph } from '../../../../src/cluster/types.ts'

export interface NetworkNode { readonly id: string, readonly name: string }
/** `both`: each end says that it is connected to the other. */
export interface NetworkLink { readonly from: string, readonly to: string, readonly both: boolean }
export interface Network { readonly nodes: readonly NetworkNode[], readonly links: readonly NetworkLink[] }

export interface Placed extends NetworkNode { readonly x: number, readonly y: number }

/** Peers and the connections between them, each once. */
export function networkOf ({ clusterLinks, idToPeerName }: Pick<ConnectGraph, 'clusterLinks' | 'idToPeerName'>): Network {
  const ids = new Set([...clusterLinks.keys(), ...idToPeerName.keys()])
  const seen = new Map<string, NetworkLink>()
  for (const [from, peers] of clusterLinks) {
    for (const to of peers.map(String)) {
      if (from === to || !ids.has(to)) continue
      const key = [from, to].toSorted().join(' ')
      const known = seen.get(key)
      if (known === undefined) seen.set(key, { from, to, both: false })
      else if (known.from === to) seen.set(key, { ...known, both: true })
    }
  }
  return { nodes: [...ids].toSorted().map((id) => ({ id, name: idToPeerName.get(id) ?? '' })), links: [...seen.values()] }
}

type Body = SimulationNodeDatum & { readonly id: string }

/** Ticks after which forces have come to rest. */
const ticks = 240

/** Places all nodes inside the frame. The same network gives the same picture. */
export function place ({ nodes, links }: Network, { width, height }: { readonly width: number, readonly height: number }): readonly Placed[] {
  const bodies: Body[] = nodes.map(({ id }, index) => ({ id, x: width / 2 + Math.cos(2 * Math.PI * index / nodes.length) * width / 4, y: height / 2 + Math.sin(2 * Math.PI * index / nodes.length) * height / 4 }))
  const ties: Array<SimulationLinkDatum<Body>> = links.map(({ from, to }) => ({ source: from, target: to }))
  forceSimulation(bodies)
    .force('link', forceLink<Body, SimulationLinkDatum<Body>>(ties).id(({ id }) => id).distance(90).strength(0.25))
    .force('charge', forceManyBody().strength(-320))
    .force('collide', forceCollide(34))
    .force('x', forceX(width / 2).strength(0.06))
    .force('y', forceY(height / 2).strength(0.12))
    .force('center', forceCenter(width / 2, height / 2))
    .stop()
    .tick(ticks)
  const margin = { x: 56, y: 32 }
  return nodes.map((node, index) => ({
    ...node,
    x: clamp(bodies[index]?.x ?? width / 2, margin.x, width - margin.x),
    y: clamp(bodies[index]?.y ?? height / 2, margin.y, height - margin.y)
  }))
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), Math.max(least, most))
