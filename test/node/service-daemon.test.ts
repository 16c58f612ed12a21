/** The daemon as a process: what it prints, how it ends, and what it does when something is wrong. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { decodeJoinLink } from '../../src/join/join-link.ts'
import { end, freePort, run } from '../processes.ts'

const root = join(import.meta.dirname, '../..')
const patience = { timeout: 30_000, interval: 100 }
const secret = 'c0ffee'.repeat(10) + 'c0fe'

let home = ''
const children: ChildProcess[] = []
beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'pinswarm-daemon-')) })
afterEach(async () => {
  await Promise.all(children.splice(0).map(async (child) => { await end(child, 'SIGKILL') }))
  await rm(home, { recursive: true, force: true })
})

interface Peer { readonly env: NodeJS.ProcessEnv, readonly folder: string, readonly swarm: string, readonly rest: string, readonly url: string, readonly id: string }

async function makePeer (name: string, extra: NodeJS.ProcessEnv = {}, args: readonly string[] = ['--ipfs', 'helia']): Promise<Peer> {
  const folder = join(home, name)
  const port = await freePort()
  const env = {
    IPFS_CLUSTER_PATH: folder, CLUSTER_PEERNAME: name, CLUSTER_SECRET: secret, CLUSTER_MDNSINTERVAL: '0s', CLUSTER_MONITORPINGINTERVAL: '1s',
    CLUSTER_LISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${await freePort()}`, CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${port}`, ...extra
  }
  const { code, stderr } = await run('ipfs-cluster-service', ['init', ...args], { env })
  expect(code, stderr).toBe(0)
  const { id } = JSON.parse(await readFile(join(folder, 'identity.json'), 'utf8')) as { id: string }
  return { env, folder, id, swarm: `${env.CLUSTER_LISTENMULTIADDRESS}/p2p/${id}`, rest: env.CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS, url: `http://127.0.0.1:${port}` }
}

interface Daemon { readonly child: ChildProcess, readonly log: () => string, readonly exited: Promise<number | null> }

function launch ({ env }: Pick<Peer, 'env'>, args: readonly string[] = ['daemon'], program = 'ipfs-cluster-service'): Daemon {
  const child = spawn(process.execPath, [join(root, 'node/bin', `${program}.ts`), ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => { log += data.toString() })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return { child, log: () => log, exited }
}
const shows = async (daemon: Daemon, text: string | RegExp): Promise<void> => { await vi.waitFor(() => { expect(daemon.log()).toMatch(text) }, patience) }
const ready = '** IPFS Cluster is READY **'

describe('a daemon', () => {
  test('says what scripts look for, stops on a signal, and starts again after a kill', async () => {
    const peer = await makePeer('alpha')
    const daemon = launch(peer)
    await shows(daemon, ready)
    await shows(daemon, /RESTAPI/)
    for (const marker of [`IPFS Cluster v1.1.6+pinswarm.`, ' listening on:', `\t        ${peer.swarm}\n`, `RESTAPI (HTTP): ${peer.rest}\n`, 'IPFS is ready. Peer ID: 12D3Koo']) expect(daemon.log()).toContain(marker)
    expect((await fetch(`${peer.url}/id`)).status).toBe(200)

    const second = launch(peer)
    expect(await second.exited).toBe(1)
    expect(second.log()).toContain(`error obtaining execution lock: lock ${peer.folder}/cluster.lock: someone else has the lock. If no other`)
    expect((await fetch(`${peer.url}/id`)).status).toBe(200)

    daemon.child.kill('SIGKILL')
    await daemon.exited
    expect(await readdir(peer.folder)).toContain('cluster.lock')
    const again = launch(peer)
    await shows(again, ready)
    again.child.kill('SIGTERM')
    expect(await again.exited).toBe(0)
    expect(await readdir(peer.folder)).not.toContain('cluster.lock')
    for (const { log } of [daemon, second, again]) expect(log()).not.toContain(secret)
  })

  test('joins, writes the peerstore when it stops, and finds the others by it', async () => {
    const [alpha, beta] = [await makePeer('alpha'), await makePeer('beta')]
    const first = launch(alpha)
    await shows(first, ready)
    const second = launch(beta, ['daemon', '--bootstrap', alpha.swarm])
    const members = async (peer: Peer): Promise<number> => (await (await fetch(`${peer.url}/id`)).json() as { cluster_peers: string[] }).cluster_peers.length
    await vi.waitFor(async () => { expect([await members(alpha), await members(beta)]).toEqual([2, 2]) }, patience)
    second.child.kill('SIGINT')
    expect(await second.exited).toBe(0)
    expect(await readFile(join(beta.folder, 'peerstore'), 'utf8')).toContain(`${alpha.swarm}\n`)
    const third = launch(beta)
    await shows(third, ready)
    await vi.waitFor(async () => { expect(await members(beta)).toBe(2) }, patience)
  })

  test('a second signal ends it at once', async () => {
    const peer = await makePeer('alpha')
    const daemon = launch(peer)
    await shows(daemon, ready)
    // two of a kind would count as one while the first is not yet taken
    daemon.child.kill('SIGINT')
    daemon.child.kill('SIGTERM')
    expect(await daemon.exited).toBe(1)
    expect(daemon.log()).toContain('Stopping now, without waiting')
  })

  test('refuses another secret with one line in each log', async () => {
    const [alpha, beta] = [await makePeer('alpha'), await makePeer('beta', { CLUSTER_SECRET: '11'.repeat(32) })]
    const first = launch(alpha)
    await shows(first, ready)
    const second = launch(beta, ['daemon', '-j', alpha.swarm])
    await shows(second, /different cluster secret\?/)
    await shows(second, /bootstrap to .* failed/)
    await shows(first, /different cluster secret\?/)
    expect((await (await fetch(`${beta.url}/id`)).json() as { cluster_peers: string[] }).cluster_peers).toHaveLength(1)
    for (const { log } of [first, second]) expect(log().match(/refused: different cluster secret\?/g)).toHaveLength(1)
  })

  test('waits for a kubo that is not there, says so, and serves the API meanwhile', async () => {
    const port = await freePort()
    const peer = await makePeer('alpha', { CLUSTER_IPFSHTTP_NODEMULTIADDRESS: `/ip4/127.0.0.1/tcp/${port}` }, [])
    const daemon = launch(peer)
    await shows(daemon, 'waiting for IPFS, which does not answer')
    await vi.waitFor(async () => { expect((await (await fetch(`${peer.url}/id`)).json() as { ipfs: { error: string } }).ipfs.error).not.toBe('') }, patience)
    expect((await fetch(`${peer.url}/allocations`)).status).toBeLessThan(300)
    expect(daemon.log()).not.toContain(ready)
    const kubo = createServer((request, response) => { request.resume(); response.setHeader('content-type', 'application/json'); response.end(JSON.stringify(request.url?.includes('/id') === true ? { ID: '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5', Addresses: [] } : { RepoSize: 0, StorageMax: 1, Peers: [] })) }).listen(port, '127.0.0.1')
    await shows(daemon, ready)
    kubo.closeAllConnections()
    kubo.close()
    daemon.child.kill('SIGTERM')
    expect(await daemon.exited).toBe(0)
  })

  test('names the key of a port in use', async () => {
    const peer = await makePeer('alpha')
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const { port } = blocker.address() as AddressInfo
    for (const [variable, key] of [['CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS', 'api.restapi.http_listen_multiaddress'], ['CLUSTER_LISTENMULTIADDRESS', 'cluster.listen_multiaddress'], ['CLUSTER_METRICS_PROMETHEUSENDPOINT', 'observations.metrics.prometheus_endpoint']] as const) {
      const daemon = launch({ env: { ...peer.env, CLUSTER_METRICS_ENABLESTATS: String(variable.startsWith('CLUSTER_METRICS')), [variable]: `/ip4/127.0.0.1/tcp/${port}` } })
      expect(await daemon.exited).toBe(1)
      expect(daemon.log()).toMatch(new RegExp(`error starting cluster: ${key.replaceAll('.', '\\.')}: .*${port}.* already in use`))
      expect(await readdir(peer.folder)).not.toContain('cluster.lock')
    }
    blocker.close()
  })

  test('warns once of what it does not know, and keeps it', async () => {
    const peer = await makePeer('alpha')
    const path = join(peer.folder, 'service.json')
    const text = (await readFile(path, 'utf8')).replace('"cluster": {', '"cluster": {\n    "colour": "red",').replace('"enable_tracing": false', '"enable_tracing": true')
    await writeFile(path, text)
    const daemon = launch(peer, ['daemon', '--tracing'])
    await shows(daemon, ready)
    for (const warning of ['cluster.colour is not a known key', 'observations.tracing.enable_tracing has no effect: tracing is not available here', '--tracing has no effect']) expect(daemon.log().split(warning)).toHaveLength(2)
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  test('runs a configuration from a URL, and says why it cannot', async () => {
    const peer = await makePeer('alpha')
    const document = await readFile(join(peer.folder, 'service.json'), 'utf8')
    const server = createServer((request, response) => { response.statusCode = request.url === '/here' ? 200 : 404; response.end(request.url === '/here' ? document : 'not here') }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await run('ipfs-cluster-service', ['init', '-f', `${base}/gone`], { env: peer.env })
    const refused = launch(peer)
    expect(await refused.exited).toBe(1)
    expect(refused.log()).toContain('error loading configurations: source: unsuccessful request (404): not here')
    await run('ipfs-cluster-service', ['init', '-f', `${base}/here`], { env: peer.env })
    const daemon = launch(peer)
    await shows(daemon, ready)
    expect(await readFile(join(peer.folder, 'service.json'), 'utf8')).toBe(`{\n  "source": "${base}/here"\n}`)
    server.closeAllConnections()
    server.close()
  })
})

describe('npm start', () => {
  test('makes a peer with an embedded store and prints one block, without the secret', async () => {
    const folder = join(home, 'fresh')
    const env = { IPFS_CLUSTER_PATH: folder, CLUSTER_SECRET: secret, CLUSTER_MDNSINTERVAL: '0s', CLUSTER_LISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${await freePort()},/ip4/127.0.0.1/tcp/${await freePort()}/ws,/ip4/127.0.0.1/udp/${await freePort()}/webrtc-direct`, CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${await freePort()}` }
    const [plain = ''] = env.CLUSTER_LISTENMULTIADDRESS.split(',')
    const start = launch({ env }, [], 'start')
    await shows(start, /is ready/)
    await shows(start, /A second peer.*invite/)
    for (const text of [`${plain}/p2p/12D3Koo`, env.CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS.replace('/ip4/', 'http://').replace('/tcp/', ':'), 'ipfs-cluster', 'private: content moves between the members', ` add FILE`, folder]) expect(start.log()).toContain(text)
    expect(start.log()).not.toContain(secret)
    expect(start.log().match(/is ready\./g)).toHaveLength(1)
    expect(start.log()).toMatch(/ Dashboard +(?:http:\/\/127\.0\.0\.1:\d+\/webui\/|not built: npm run build:webui)\n/)
    const live = await run('ipfs-cluster-service', ['invite'], { env: { IPFS_CLUSTER_PATH: folder } })
    const link = decodeJoinLink(/http:\S+#join=\S+/.exec(live.stdout.toString())?.[0] ?? '')
    expect(link?.secret).toBe(secret)
    expect(link?.addresses.map(String)).toEqual([expect.stringMatching(/\/tcp\/\d+\/ws\/p2p\/12D3Koo/), expect.stringMatching(/\/webrtc-direct\/certhash\/uEi/)])
    start.child.kill('SIGINT')
    expect(await start.exited).toBe(0)
    expect(Object.keys((JSON.parse(await readFile(join(folder, 'service.json'), 'utf8')) as { ipfs_connector: object }).ipfs_connector)).toEqual(['helia'])
    const invited = await run('ipfs-cluster-service', ['invite'], { env: { IPFS_CLUSTER_PATH: folder } })
    expect(invited.stdout.toString()).toContain(`CLUSTER_SECRET=${secret} npm start -- --bootstrap ${plain}/p2p/`)
  })
})
