/** The real counterparts, where they are installed: `ipfs` (kubo) on PATH, Go's IPFS Cluster programs in the folder named by GO_CLUSTER_BIN. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { end, freePort } from '../processes.ts'

const onPath = (name: string): string | undefined => (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)).find((path) => existsSync(path))

/** Path of kubo's `ipfs`; undefined where it is absent. */
export const kuboProgram = onPath('ipfs')
const goFolder = process.env['GO_CLUSTER_BIN']
/** Path of a Go program; undefined where it is absent. */
export const goProgram = (name: 'ipfs-cluster-service' | 'ipfs-cluster-ctl'): string | undefined => goFolder !== undefined && existsSync(join(goFolder, name)) ? join(goFolder, name) : undefined
export const goPresent = goProgram('ipfs-cluster-service') !== undefined && goProgram('ipfs-cluster-ctl') !== undefined

/** What to say of a suite that cannot run here. */
export const needs = (...missing: Array<[present: boolean, what: string]>): string => {
  const absent = missing.filter(([present]) => !present).map(([, what]) => what)
  return absent.length === 0 ? '' : ` [skipped where absent: ${absent.join(', ')}]`
}

const pause = async (): Promise<void> => { await new Promise((resolve) => setTimeout(resolve, 50)) }

export interface Counterpart {
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
  readonly start: (args?: readonly string[]) => Promise<void>
  /** Of the running program, else of the last one. */
  readonly pid: () => number
  readonly remove: () => Promise<void>
  readonly log: () => string
}

function daemon (program: string, args: readonly string[], env: NodeJS.ProcessEnv, folder: string, isReady: () => Promise<boolean>): Counterpart {
  let child: ChildProcess | undefined
  let log = ''
  return {
    log: () => log,
    pid: () => child?.pid ?? 0,
    start: async (more = []) => {
      const started = spawn(program, [...args, ...more], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
      child = started
      for (const stream of [started.stdout, started.stderr]) stream.on('data', (data: Buffer) => { log += data.toString() })
      while (!await isReady().catch(() => false)) {
        if (started.exitCode !== null || started.signalCode !== null) throw new Error(`${program} ended with ${started.exitCode ?? started.signalCode}: ${log}`)
        await pause()
      }
    },
    stop: async (signal) => { if (child !== undefined) await end(child, signal) },
    remove: async () => { await rm(folder, { recursive: true, force: true }) }
  }
}

function must (program: string, args: readonly string[], env: NodeJS.ProcessEnv): string {
  const done = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${done.status}: ${done.stdout}${done.stderr}`)
  return done.stdout
}

export interface Kubo extends Counterpart {
  readonly apiPort: number
  /** POST /api/v0/<call>; the answer's text. Throws on any other status than 200. */
  readonly call: (call: string) => Promise<string>
  /** The bytes of a file that is here whole; undefined when it is not. Nobody is asked. */
  readonly cat: (cid: string) => Promise<Uint8Array | undefined>
}

/** A kubo of its own on loopback, without any public network. */
export async function createKubo (options: { readonly storageMax?: string } = {}): Promise<Kubo> {
  if (kuboProgram === undefined) throw new Error('no kubo on PATH')
  const folder = await mkdtemp(join(tmpdir(), 'kubo-'))
  const env = { IPFS_PATH: folder, IPFS_TELEMETRY: 'off' }
  const [apiPort, swarm] = [await freePort(), await freePort()]
  must(kuboProgram, ['init', '--profile=test'], env)
  const settings: Array<[string, unknown]> = [
    ['Addresses.API', `/ip4/127.0.0.1/tcp/${apiPort}`], ['Addresses.Gateway', []], ['Addresses.Swarm', [`/ip4/127.0.0.1/tcp/${swarm}`]],
    // Pings announce names, never loopback addresses.
    ['Addresses.AppendAnnounce', [`/dns4/localhost/tcp/${swarm}`]], ['Datastore.StorageMax', options.storageMax ?? '10GB'],
    ['Routing.Type', 'none'], ['HTTPRetrieval.Enabled', false], ['Swarm.RelayClient.Enabled', false], ['Swarm.DisableNatPortMap', true], ['Bootstrap', []], ['AutoConf.Enabled', false], ['AutoTLS.Enabled', false], ['DNS.Resolvers', {}], ['Ipns.DelegatedPublishers', []], ['Routing.DelegatedRouters', []]
  ]
  for (const [key, value] of settings) must(kuboProgram, ['config', '--json', key, JSON.stringify(value)], env)
  const call = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${apiPort}/api/v0/${path}`, { method: 'POST' })
    const answer = await response.text()
    if (response.status !== 200) throw new Error(`kubo ${path}: ${response.status} ${answer}`)
    return answer
  }
  const cat = async (cid: string): Promise<Uint8Array | undefined> => {
    const response = await fetch(`http://127.0.0.1:${apiPort}/api/v0/cat?arg=${cid}&offline=true`, { method: 'POST' })
    const bytes = await response.bytes().catch(() => undefined)
    return response.status === 200 ? bytes : undefined
  }
  return { apiPort, call, cat, ...daemon(kuboProgram, ['daemon'], env, folder, async () => (await call('id')) !== '') }
}

export interface GoPeer extends Counterpart {
  readonly base: string
  /** Multiaddr of the REST API, for `ctl --host`. */
  readonly host: string
  readonly addresses: { readonly tcp: string, readonly ws: string }
  /** Go's ctl against this peer; its stdout. Throws when it fails. */
  readonly ctl: (...args: string[]) => string
  /** Go's service program on this peer's folder; its stdout. */
  readonly service: (...args: string[]) => string
}

const ctlProgram = (): string => {
  const program = goProgram('ipfs-cluster-ctl')
  if (program === undefined) throw new Error('no ipfs-cluster-ctl of Go')
  return program
}

/** Go's ctl against any REST API; its stdout. Throws when it fails. */
export async function goCtl (host: string, ...args: string[]): Promise<string> {
  const child = spawn(ctlProgram(), ['--host', host, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`Go's ctl ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
  return stdout
}

/** A peer of the Go cluster, CRDT on Pebble by default, before the kubo with this API port. */
export async function createGoPeer (options: { readonly name: string, readonly secret: string, readonly kuboApiPort: number, readonly datastore?: string | undefined, readonly env?: NodeJS.ProcessEnv }): Promise<GoPeer> {
  const service = goProgram('ipfs-cluster-service')
  if (service === undefined) throw new Error('no Go cluster programs')
  const folder = await mkdtemp(join(tmpdir(), `go-cluster-${options.name}-`))
  const [swarm, ws, rest, proxy, pinsvc] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()]
  const local = '/ip4/127.0.0.1/tcp/'
  const env: NodeJS.ProcessEnv = {
    IPFS_CLUSTER_PATH: folder, CLUSTER_SECRET: options.secret, CLUSTER_PEERNAME: options.name, CLUSTER_MDNSINTERVAL: '0s', CLUSTER_MONITORPINGINTERVAL: '1s',
    CLUSTER_LISTENMULTIADDRESS: `${local}${swarm},${local}${ws}/ws`, CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: `${local}${rest}`,
    CLUSTER_IPFSPROXY_LISTENMULTIADDRESS: `${local}${proxy}`, CLUSTER_IPFSPROXY_NODEMULTIADDRESS: `${local}${options.kuboApiPort}`, CLUSTER_PINSVCAPI_HTTPLISTENMULTIADDRESS: `${local}${pinsvc}`,
    CLUSTER_IPFSHTTP_NODEMULTIADDRESS: `${local}${options.kuboApiPort}`, ...options.env
  }
  must(service, ['init', '--consensus', 'crdt', '--datastore', options.datastore ?? 'pebble'], env)
  const base = `http://127.0.0.1:${rest}`
  const id = async (): Promise<{ id: string, ipfs: { error: string } }> => await (await fetch(`${base}/id`)).json() as { id: string, ipfs: { error: string } }
  const peer = daemon(service, ['daemon'], env, folder, async () => (await id()).ipfs.error === '')
  let peerId = ''
  return {
    base,
    host: `${local}${rest}`,
    ...peer,
    start: async (args) => { await peer.start(args); peerId = (await id()).id },
    addresses: { get tcp () { return `${local}${swarm}/p2p/${peerId}` }, get ws () { return `${local}${ws}/ws/p2p/${peerId}` } },
    ctl: (...args) => must(ctlProgram(), ['--host', `${local}${rest}`, ...args], {}),
    service: (...args) => must(service, args, env)
  }
}

export const newSecret = (): string => randomBytes(32).toString('hex')
