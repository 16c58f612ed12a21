/** Programs of the project as processes of their own, in temporary folders, on free ports: for end-to-end tests and benchmarks. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const program = (name: string): string => join(root, 'node/bin', `${name}.ts`)

/** A TCP port nobody listens on at this moment. */
export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export async function end (child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await gone
  clearTimeout(timer)
}

export interface Output { readonly code: number | null, readonly stdout: Buffer, readonly stderr: string }

/** Runs a program of the project to its end. */
export async function run (name: 'ipfs-cluster-service' | 'ipfs-cluster-ctl', args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv, readonly stdin?: Buffer, readonly cwd?: string } = {}): Promise<Output> {
  const child = spawn(process.execPath, [program(name), ...args], { env: { ...process.env, ...options.env }, cwd: options.cwd })
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => stdout.push(data))
  child.stderr.on('data', (data: Buffer) => { stderr += data.toString() })
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin)
  const [code] = await once(child, 'close') as [number | null]
  return { code, stdout: Buffer.concat(stdout), stderr }
}

export interface PeerProcess {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  /** REST URL. */
  readonly base: string
  /** Multiaddr of the REST API, for `ctl --host`. */
  readonly host: string
  readonly pid: () => number
  /** From spawn until the peer answers with a live IPFS identity, in ms. */
  readonly readyAfter: () => number
  readonly start: (args?: readonly string[]) => Promise<void>
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
  /** What the daemon wrote to stdout and stderr since it was first started. */
  readonly log: () => string
  readonly ctl: (...args: string[]) => Promise<Output>
  readonly remove: () => Promise<void>
}

export interface PeerSettings {
  readonly name: string
  readonly secret: string
  /** `helia` or the API port of a kubo. */
  readonly ipfs: 'helia' | number
  /** An empty folder to use. @default a new temporary one */
  readonly folder?: string
  /** More `CLUSTER_*` settings. */
  readonly env?: NodeJS.ProcessEnv
  /** Path of the daemon's program. @default the sources */
  readonly program?: string | undefined
}

/** Makes the folder and the configuration of a peer; `start` runs its daemon. */
export async function createPeerProcess (settings: PeerSettings): Promise<PeerProcess> {
  const folder = settings.folder ?? await mkdtemp(join(tmpdir(), `pinswarm-${settings.name}-`))
  const [swarm, ws, rest] = [await freePort(), await freePort(), await freePort()]
  const env: NodeJS.ProcessEnv = {
    IPFS_CLUSTER_PATH: folder, CLUSTER_SECRET: settings.secret, CLUSTER_PEERNAME: settings.name,
    CLUSTER_LISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${swarm},/ip4/127.0.0.1/tcp/${ws}/ws`, CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${rest}`,
    CLUSTER_MDNSINTERVAL: '0s', CLUSTER_MONITORPINGINTERVAL: '1s', CLUSTER_PUBSUBMON_CHECKINTERVAL: '1s',
    ...settings.ipfs === 'helia' ? {} : { CLUSTER_IPFSHTTP_NODEMULTIADDRESS: `/ip4/127.0.0.1/tcp/${settings.ipfs}` }, ...settings.env
  }
  const init = await run('ipfs-cluster-service', ['init', ...settings.ipfs === 'helia' ? ['--ipfs', 'helia'] : []], { env })
  if (init.code !== 0) throw new Error(`init ended with ${init.code}: ${init.stderr}`)
  const base = `http://127.0.0.1:${rest}`
  const host = `/ip4/127.0.0.1/tcp/${rest}`
  let daemon: ChildProcess | undefined
  let log = ''
  let readyAfter = Number.NaN
  return {
    folder, env, base, host,
    pid: () => daemon?.pid ?? 0,
    readyAfter: () => readyAfter,
    log: () => log,
    start: async (args = []) => {
      const begin = performance.now()
      const login = env['CLUSTER_RESTAPI_BASICAUTHCREDENTIALS']
      const headers: Record<string, string> = login === undefined ? {} : { Authorization: `Basic ${btoa(login)}` }
      const child = spawn(process.execPath, [settings.program ?? program('ipfs-cluster-service'), 'daemon', ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
      daemon = child
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => { log += data.toString() })
      for (;;) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the daemon ended with ${child.exitCode ?? child.signalCode}: ${log}`)
        const answer = await fetch(`${base}/id`, { headers }).then(async (response) => await response.json() as { ipfs?: { error: string } }, () => undefined)
        if (answer?.ipfs?.error === '') break
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      readyAfter = performance.now() - begin
    },
    stop: async (signal) => {
      if (daemon !== undefined) await end(daemon, signal)
      // Nobody here means harm, Go's peers included.
      const accused = log.split('\n').find((line) => line.includes(' misbehaves ('))
      if (accused !== undefined) throw new Error(`an honest member was refused: ${accused}`)
    },
    ctl: async (...args) => await run('ipfs-cluster-ctl', ['--host', host, ...args]),
    remove: async () => { await rm(folder, { recursive: true, force: true }) }
  }
}
