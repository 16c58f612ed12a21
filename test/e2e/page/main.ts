/** What the tests find on the page: the door of the package, and pieces to build strangers from. */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { CID } from 'multiformats/cid'
import { createWebPeer } from '../../../web/index.ts'
import type { WebPeer, WebPeerOptions } from '../../../web/web-peer.ts'
import { silentLogger } from '../../../src/component.ts'
import type { ComponentLogger } from '../../../src/component.ts'

const logs: string[] = []
const note = (level: string, name: string) => (message: string, ...values: unknown[]): void => { logs.push(`${Math.round(performance.now())} ${level} ${name} ${message} ${values.map(String).join(' ')}`) }
const logger: ComponentLogger = { forComponent: (name) => Object.assign(Object.create(silentLogger.forComponent(name)) as ReturnType<ComponentLogger['forComponent']>, { debug: note('debug', name), info: note('info', name), warn: note('warn', name), error: note('error', name) }) }

let peer: WebPeer | undefined

/** A libp2p as everybody has it: no secret, no proof. */
const stranger = async () => await createLibp2p({
  addresses: { listen: [] },
  transports: [webSockets(), webRTC({ rtcConfiguration: { iceServers: [] } }), webRTCDirect(), circuitRelayTransport()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
  services: { identify: identify(), ping: ping(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) }
})

const lab = {
  CID,
  multiaddr,
  logs,
  times: { started: 0, connected: 0, first: 0, listed: 0 },
  stranger,
  /** The peer of this page. */
  get peer (): WebPeer {
    if (peer === undefined) throw new Error('this page has not joined')
    return peer
  },
  /** Starts this page's peer and returns its ID. */
  join: async (options: WebPeerOptions): Promise<string> => {
    const created = await createWebPeer({ logger, ...options })
    peer = created
    await created.start()
    return created.peerId.toString()
  },
  /** Adds one file of these bytes and returns its CID. */
  addBytes: async (name: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
    let root = ''
    for await (const { cid } of lab.peer.add([{ kind: 'file', path: name, content: new Blob([bytes]) }])) root = cid?.toString() ?? root
    return root
  },
  /** Reads a file and returns the SHA-256 of its bytes in hex, and their count. */
  digest: async (cid: string): Promise<{ readonly sha256: string, readonly size: number }> => {
    const parts: Uint8Array<ArrayBuffer>[] = []
    for await (const part of lab.peer.client.cat(cid)) parts.push(new Uint8Array(part))
    const whole = await new Blob(parts).arrayBuffer()
    return { size: whole.byteLength, sha256: [...new Uint8Array(await crypto.subtle.digest('SHA-256', whole))].map((byte) => byte.toString(16).padStart(2, '0')).join('') }
  },
  /** CIDs of the pinset, in order. */
  pins: async (): Promise<readonly string[]> => {
    const cids: string[] = []
    for await (const { cid } of lab.peer.client.pins()) cids.push(cid.toString())
    return cids
  },
  /** Peer ID to status of a CID, as this peer sees the cluster. */
  statuses: async (cid: string): Promise<Record<string, string>> => {
    const { peerMap } = await lab.peer.client.status(cid)
    return Object.fromEntries([...peerMap].map(([id, { status }]) => [id, status]))
  },
  /** Peer IDs of those members that answer. */
  members: async (): Promise<readonly string[]> => {
    const ids: string[] = []
    for await (const { id, error } of lab.peer.client.peers()) if (error === '') ids.push(id.toString())
    return ids.toSorted()
  }
}

export type Lab = typeof lab

declare global {
  var lab: Lab
}

globalThis.lab = lab
// For measurements: join before anybody asks, and note when what was there (ms since the navigation).
if (location.search === '?auto') {
  const link = location.hash.slice(1)
  void (async () => {
    await lab.join(link === '' ? {} : { join: link })
    lab.times.started = performance.now()
    const listed = (async () => {
      for await (const { cid } of lab.peer.client.pins()) lab.times.first ||= cid === undefined ? 0 : performance.now()
      lab.times.listed = performance.now()
    })()
    await lab.peer.connected()
    lab.times.connected = performance.now()
    await listed
  })()
}
document.body.dataset['ready'] = 'yes'
