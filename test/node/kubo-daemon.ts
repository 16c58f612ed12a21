/** A kubo of the machine, on loopback only, for tests; `hasKubo` says whether there is one. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'

export const hasKubo = spawnSync('ipfs', ['version'], { stdio: 'ignore' }).status === 0

export interface KuboDaemon {
  readonly folder: string
  readonly ports: { readonly api: number, readonly swarm: number }
  readonly api: Multiaddr
  /** Ends the daemon; its folder goes with the test process's own clean-up. */
  readonly stop: () => Promise<void>
}

async function freePort (): Promise<number> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<number>()
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    resolve(typeof address === 'object' && address !== null ? address.port : 0)
  })
  const port = await promise
  const closed = Promise.withResolvers<void>()
  server.close(() => { closed.resolve() })
  await closed.promise
  return port
}

async function configure (folder: string, env: NodeJS.ProcessEnv, api: number, swarm: number): Promise<void> {
  const made = spawnSync('ipfs', ['init', '--profile=test'], { env, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`ipfs init: ${made.stderr}`)
  const path = join(folder, 'config')
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, Record<string, unknown>>
  config['Addresses'] = { ...config['Addresses'], API: `/ip4/127.0.0.1/tcp/${api}`, Gateway: [], Swarm: [`/ip4/127.0.0.1/tcp/${swarm}`, '/ip4/127.0.0.1/tcp/0/ws'] }
  config['Discovery'] = { MDNS: { Enabled: false } }
  config['Routing'] = { Type: 'none' }
  config['AutoConf'] = { Enabled: false }
  config['AutoTLS'] = { Enabled: false }
  config['HTTPRetrieval'] = { Enabled: false }
  config['Provide'] = { Enabled: false }
  config['DNS'] = { Resolvers: {} }
  config['Ipns'] = { ...config['Ipns'], DelegatedPublishers: [] }
  config['Plugins'] = { Plugins: { telemetry: { Disabled: true, Config: { Mode: 'off' } } } }
  config['Swarm'] = { ...config['Swarm'], DisableNatPortMap: true, RelayClient: { Enabled: false }, RelayService: { Enabled: false }, EnableHolePunching: false, Transports: { Network: { QUIC: false, WebTransport: false, WebRTCDirect: false, Relay: false } } }
  const text = JSON.stringify({ ...config, Bootstrap: [] })
  await writeFile(path, text)
}

/** Starts kubo, or starts one again on the folder and ports of an earlier one. */
export async function startKubo (earlier?: KuboDaemon): Promise<KuboDaemon> {
  const folder = earlier?.folder ?? await mkdtemp(join(tmpdir(), 'pinswarm-kubo-'))
  const ports = earlier?.ports ?? { api: await freePort(), swarm: await freePort() }
  const env = { ...process.env, IPFS_PATH: folder, IPFS_TELEMETRY: 'off' }
  if (earlier === undefined) await configure(folder, env, ports.api, ports.swarm)
  const daemon = spawn('ipfs', ['daemon'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const removeAtExit = (): void => { daemon.kill('SIGKILL'); spawnSync('rm', ['-rf', folder]) }
  process.once('exit', removeAtExit)
  const exited = Promise.withResolvers<void>()
  daemon.once('exit', () => { exited.resolve() })
  const ready = Promise.withResolvers<void>()
  let output = ''
  const read = (chunk: Buffer): void => {
    output += chunk.toString()
    if (output.includes('Daemon is ready')) ready.resolve()
  }
  daemon.stdout.on('data', read)
  daemon.stderr.on('data', read)
  await Promise.race([ready.promise, exited.promise.then(() => { throw new Error(`kubo ended: ${output}`) })])
  return {
    folder, ports, api: multiaddr(`/ip4/127.0.0.1/tcp/${ports.api}`),
    stop: async () => {
      daemon.kill('SIGTERM')
      await exited.promise
    }
  }
}
