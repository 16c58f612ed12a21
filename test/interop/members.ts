/** Members of a mixed cluster, Go's and ours, behind one face: each with its own IPFS, and asked by either program. */
import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromString } from '@libp2p/peer-id'
import { base64pad } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import { createIdentity } from '../../node/identity.ts'
import { isClosest } from '../../src/pin/distance.ts'
import { startStandIn } from '../bench/stand-in-process.ts'
import { createPeerProcess, run } from '../processes.ts'
import { createGoPeer, createKubo, goCtl, newSecret } from './programs.ts'
import type { Kubo } from './programs.ts'

/** Whose program: Go's or the project's. */
export type Side = 'go' | 'ours'
export const sides: readonly Side[] = ['go', 'ours']

/** For facts that four members must come to agree on. */
export const wait = { timeout: 120_000, interval: 500 }

export interface MemberSettings {
  readonly name: string
  readonly side: Side
  /** `stand-in` answers kubo's calls from memory. */
  readonly ipfs: 'kubo' | 'helia' | 'stand-in'
  /** What its kubo may hold. */
  readonly storageMax?: string
  /** Of a Go peer. @default 'pebble' */
  readonly datastore?: string
  /** More `CLUSTER_*` settings; given the IDs of all members. */
  readonly env?: (ids: Readonly<Record<string, string>>) => NodeJS.ProcessEnv
}

export interface Member {
  readonly name: string
  readonly side: Side
  readonly id: string
  readonly base: string
  readonly host: string
  readonly kubo: Kubo | undefined
  readonly pid: () => number
  readonly log: () => string
  readonly start: (args?: readonly string[]) => Promise<void>
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
  /** The text of GET on its REST API. Throws at a failure. */
  readonly get: (path: string) => Promise<string>
  /** Its own side's ctl against it; stdout. Throws when that fails. */
  readonly ctl: (...args: string[]) => Promise<string>
  /** Its own side's service program on its folder; stdout. Throws when that fails. */
  readonly service: (...args: string[]) => Promise<string>
}

export interface MixedCluster {
  readonly members: readonly Member[]
  readonly member: (name: string) => Member
  /** A REST API's view as the other side's ctl, or its own, prints it. */
  readonly ask: (side: Side, member: Member, ...args: string[]) => Promise<string>
  readonly close: () => Promise<void>
}

const output = async (program: 'ipfs-cluster-ctl' | 'ipfs-cluster-service', args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
  const { code, stdout, stderr } = await run(program, args, { env })
  if (code !== 0) throw new Error(`our ${program} ${args.join(' ')} ended with ${code}: ${stdout.toString()}${stderr}`)
  return stdout.toString()
}

const pause = async (): Promise<void> => { await new Promise((resolve) => setTimeout(resolve, wait.interval)) }

/** Faster than the defaults: a lost member is noticed after some ten seconds, expired pins within two. */
const common: NodeJS.ProcessEnv = {
  CLUSTER_MONITORPINGINTERVAL: '3s', CLUSTER_PUBSUBMON_CHECKINTERVAL: '1s', CLUSTER_STATESYNCINTERVAL: '2s', CLUSTER_CRDT_REBROADCASTINTERVAL: '5s',
  CLUSTER_DISK_METRICTTL: '10s', CLUSTER_TAGS_METRICTTL: '10s', CLUSTER_IPFSHTTP_CONNECTSWARMSDELAY: '1s', CLUSTER_DISABLEREPINNING: 'false'
}

/** Makes and starts them, each joining through all before it; resolves when everybody counts everybody. */
export async function startMixed (settings: readonly MemberSettings[], { transport = 'tcp', trust = true }: { readonly transport?: 'tcp' | 'ws', readonly trust?: boolean } = {}): Promise<MixedCluster> {
  const secret = newSecret()
  const identities = await Promise.all(settings.map(() => createIdentity()))
  const ids = Object.fromEntries(settings.map(({ name }, i) => [name, identities[i]?.peerId.toString() ?? '']))
  const undo: Array<() => Promise<void>> = []
  const members: Member[] = []
  const close = async (): Promise<void> => { for (const step of undo.splice(0).toReversed()) await step() }
  try {
    const known: string[] = []
    for (const [i, each] of settings.entries()) {
      const identity = identities[i]
      if (identity === undefined) throw new Error('no identity')
      const env = { ...common, CLUSTER_ID: identity.peerId.toString(), CLUSTER_PRIVATEKEY: base64pad.baseEncode(privateKeyToProtobuf(identity.privateKey)), ...each.env?.(ids) }
      const { member, address } = await createMember(each, { secret, env, transport, undo })
      members.push(member)
      await member.start(known.length === 0 ? [] : ['--bootstrap', known.join(','), ...trust ? [] : ['--no-trust']])
      known.push(await address())
    }
    for (const { name, get } of members) {
      for (const begin = performance.now(); (JSON.parse(await get('/monitor/metrics/ping')) as unknown[]).length !== members.length; await pause()) {
        if (performance.now() - begin > wait.timeout) throw new Error(`${name} does not see everybody`)
      }
    }
  } catch (error) {
    for (const { name, log } of members) process.stderr.write(`--- ${name}\n${log().slice(-3000)}\n`)
    await close()
    throw error
  }
  return {
    members, close,
    member: (name) => {
      const found = members.find((each) => each.name === name)
      if (found === undefined) throw new Error(`no member ${name}`)
      return found
    },
    ask: async (side, { host }, ...args) => await ctlOf[side](host, ...args)
  }
}

const ctlOf: Readonly<Record<Side, (host: string, ...args: string[]) => Promise<string>>> = {
  go: goCtl,
  ours: async (host, ...args) => await output('ipfs-cluster-ctl', ['--host', host, ...args])
}

/** Peer name to status, as this member tells of the CID. */
export async function statusOf (member: Pick<Member, 'get'>, cid: string): Promise<Record<string, string>> {
  const { peer_map: peers } = JSON.parse(await member.get(`/pins/${cid}`)) as { peer_map: Record<string, { peername: string, status: string }> }
  return Object.fromEntries(Object.values(peers).map(({ peername, status }) => [peername, status]))
}

/** CIDs of the pinset as this member has it, sorted. */
export async function pinnedAt (member: Pick<Member, 'get'>): Promise<string[]> {
  return (await member.get('/allocations?filter=all')).split('\n').flatMap((line) => line === '' ? [] : (JSON.parse(line) as { cid: string }).cid).toSorted()
}

/** Who must act on the CID. */
export function closestOf (cid: string, members: readonly Member[]): Member {
  const closest = members.find((one) => isClosest(CID.parse(cid), peerIdFromString(one.id), members.flatMap(({ id }) => id === one.id ? [] : [peerIdFromString(id)])))
  if (closest === undefined) throw new Error('no members')
  return closest
}

const getAt = (base: string) => async (path: string): Promise<string> => {
  const response = await fetch(`${base}${path}`)
  const text = await response.text()
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${text}`)
  return text
}

async function ipfsOf ({ ipfs, storageMax = '10GB' }: MemberSettings, undo: Array<() => Promise<void>>): Promise<{ readonly kubo?: Kubo, readonly port: number }> {
  if (ipfs === 'helia') return { port: 0 }
  if (ipfs === 'stand-in') {
    const { port, stop } = await startStandIn()
    undo.push(stop)
    return { port }
  }
  const kubo = await createKubo({ storageMax })
  undo.push(kubo.remove, async () => { await kubo.stop() })
  await kubo.start()
  return { kubo, port: kubo.apiPort }
}

interface Making { readonly secret: string, readonly env: NodeJS.ProcessEnv, readonly transport: 'tcp' | 'ws', readonly undo: Array<() => Promise<void>> }

async function createMember (settings: MemberSettings, { secret, env, transport, undo }: Making): Promise<{ readonly member: Member, readonly address: () => Promise<string> }> {
  const { name, side, ipfs, storageMax } = settings
  const { kubo, port } = await ipfsOf(settings, undo)
  const shared = { name, side, kubo, id: env['CLUSTER_ID'] ?? '' }
  if (side === 'go') {
    const go = await createGoPeer({ name, secret, kuboApiPort: port, datastore: settings.datastore, env })
    undo.push(go.remove, async () => { await go.stop() })
    return { member: { ...go, ...shared, get: getAt(go.base), ctl: async (...args) => await ctlOf.go(go.host, ...args), service: async (...args) => go.service(...args) }, address: async () => go.addresses[transport] }
  }
  const peer = await createPeerProcess({ name, secret, ipfs: ipfs === 'helia' ? 'helia' : port, env: { ...ipfs === 'helia' && storageMax !== undefined ? { CLUSTER_HELIA_STORAGEMAX: storageMax } : {}, ...env } })
  undo.push(peer.remove, async () => { await peer.stop() })
  const address = async (): Promise<string> => {
    const { addresses } = await (await fetch(`${peer.base}/id`)).json() as { addresses: string[] }
    return addresses.find((one) => one.includes('/ws/') === (transport === 'ws') && one.includes('/127.0.0.1/')) ?? ''
  }
  return { member: { ...peer, ...shared, get: getAt(peer.base), ctl: async (...args) => await ctlOf.ours(peer.host, ...args), service: async (...args) => await output('ipfs-cluster-service', args, peer.env) }, address }
}
