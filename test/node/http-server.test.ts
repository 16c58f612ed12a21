/** The API on Node's HTTP server: what only a real connection shows. */
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createHttpServer } from '../../node/http/server.ts'
import { nodeTransport } from '../../node/http/client-transport.ts'
import { createApi } from '../../src/api/api.ts'
import { ClusterClient } from '../../src/api/client.ts'
import { ApiResponse } from '../../src/api/response.ts'
import { silentLogger } from '../../src/component.ts'
import { MemoryCluster } from '../api/memory-cluster.ts'
import type { AddressInfo, Socket } from 'node:net'
import type { IncomingMessage, RequestOptions } from 'node:http'
import type { Api } from '../../src/api/api.ts'
import type { HttpServerOptions } from '../../node/http/server.ts'

const cid = 'bafkreibpmsjuqdvcgjat6job2dyepgswvawrnlda6vlolommnivog6v5ky'

async function serve (options: Partial<HttpServerOptions> = {}, api?: Pick<Api, 'fetch'>) {
  const cluster = new MemoryCluster()
  const log: string[] = []
  const server = createHttpServer({ api: { close: () => {}, ...api ?? createApi(cluster) }, logger: silentLogger }, { listen: ['/ip4/127.0.0.1/tcp/0'], accessLog: (line) => { log.push(line) }, stopTimeout: 200, ...options })
  await server.start()
  onTestFinished(async () => { await server.stop() })
  const port = Number(server.addresses().find((address) => address.includes('/tcp/'))?.split('/')[4])
  return { cluster, server, log, port, base: `http://127.0.0.1:${port}` }
}

/** What is written to a socket as it is, and everything that comes back until the server closes it. */
async function raw (port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text)
  let answer = ''
  for await (const data of socket) answer += String(data)
  return answer
}

async function all<T> (items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function call (port: number, options: RequestOptions, body?: string): Promise<IncomingMessage & { text: string }> {
  const outgoing = request({ host: '127.0.0.1', port, ...options })
  outgoing.end(body)
  const [incoming] = await once(outgoing, 'response') as [IncomingMessage]
  let text = ''
  for await (const data of incoming) text += String(data)
  return Object.assign(incoming, { text })
}

test('listings end with trailers; small answers have a length and keep the connection', async () => {
  const { port } = await serve()
  const answer = await raw(port, `POST /pins/${cid}?name=a HTTP/1.1\r\nHost: x\r\n\r\nGET /allocations HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  const [pin = '', list = '', health = ''] = answer.split(/(?=HTTP\/1\.1)/)
  expect(pin).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: application\/json\r\n[^]*Content-Length: \d+\r\n/)
  expect(list).toMatch(/Trailer: X-Stream-Error\r\n[^]*Transfer-Encoding: chunked\r\n\r\n[0-9a-f]+\r\n\{[^]*\}\n\r\n0\r\nX-Stream-Error: \r\n\r\n$/)
  expect(health).toMatch(/^HTTP\/1\.1 204 No Content\r\n/)
  expect(health).not.toContain('Content-Length')
})

test('a listing without items is complete without a body', async () => {
  const { port } = await serve()
  for (const path of ['/allocations', '/pins/recover']) {
    const answer = await call(port, { method: path === '/allocations' ? 'GET' : 'POST', path })
    expect([answer.statusCode, answer.text]).toEqual([204, ''])
  }
})

test('an empty listing is 204 without a body', async () => {
  const { port } = await serve()
  for (const [method, path] of [['GET', '/allocations'], ['GET', '/pins'], ['POST', '/pins/recover']] as const) {
    const answer = await call(port, { method, path })
    expect([answer.statusCode, answer.headers['content-type'], answer.text]).toEqual([204, 'application/json', ''])
  }
})

test('texts in trailers are UTF-8 without line ends', async () => {
  const { port, cluster } = await serve()
  await cluster.pin((await import('multiformats/cid')).CID.parse(cid))
  cluster.pinLines = async function * () { yield [new TextEncoder().encode('{}')]; throw new Error('broken\r\nX-Injected: höher €') }
  const answer = await call(port, { path: '/allocations' })
  expect(Buffer.from(answer.trailers['x-stream-error'] ?? '', 'latin1').toString()).toBe('broken X-Injected: höher €')
  await expect(all(new ClusterClient({ transport: nodeTransport({ endpoints: [{ protocol: 'http', host: '127.0.0.1', port }] }) }).json.allocations())).rejects.toMatchObject({ code: 500, message: 'broken\r\nX-Injected: höher €' })
})

test('an upload is answered while it is still being sent', async () => {
  const { port } = await serve()
  const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/add', headers: { 'content-type': 'multipart/form-data; boundary=B' } })
  const part = (name: string): string => `--B\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n${name}\r\n`
  outgoing.write(part('one') + part('two'))
  const [incoming] = await once(outgoing, 'response') as [IncomingMessage]
  const lines: Array<{ name: string }> = []
  incoming.on('data', (data: Buffer) => lines.push(...data.toString().trim().split('\n').map((line) => JSON.parse(line) as { name: string })))
  await vi.waitFor(() => { expect(lines.map(({ name }) => name)).toEqual(['one']) })
  outgoing.end('--B--\r\n')
  await once(incoming, 'end')
  expect(lines.map(({ name }) => name)).toEqual(['one', 'two'])
})

test('an upload goes no faster than it is taken', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  let taken = 0
  const { port } = await serve({}, {
    fetch: async ({ body }) => {
      for await (const chunk of body ?? []) {
        taken += chunk.length
        if (taken > 1_000_000) await held
      }
      return new ApiResponse({ status: 200, body: String(taken) })
    }
  })
  const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/add' })
  const answer = once(outgoing, 'response') as Promise<[IncomingMessage]>
  const chunk = Buffer.alloc(1 << 20)
  let sent = 0
  while (sent < 256 && outgoing.write(chunk)) sent++
  // What waits is in the buffers of the kernel, not in this process.
  await vi.waitFor(() => { expect(taken).toBeGreaterThan(1_000_000) })
  expect(taken).toBeLessThan(2_000_000)
  release()
  for (; sent < 64; sent++) if (!outgoing.write(chunk)) await once(outgoing, 'drain')
  outgoing.end()
  const [incoming] = await answer
  expect(String(await all(incoming as AsyncIterable<Buffer>).then((parts) => Buffer.concat(parts)))).toBe(String(outgoing.writableEnded ? (sent + 1) * 2 ** 20 : 0))
})

test('an answer that comes before the end of an upload is read by the client', async () => {
  const { port, log } = await serve()
  const client = new ClusterClient({ transport: nodeTransport({ endpoints: [{ protocol: 'http', host: '127.0.0.1', port }] }) })
  const endless = async function * (): AsyncGenerator<Uint8Array> { for (;;) yield new Uint8Array(65_536) }
  await expect(all(client.json.add([{ kind: 'file', path: 'x', content: endless() }], { layout: 'zigzag' as 'balanced' }))).rejects.toMatchObject({ code: 400, message: 'layout parameter is invalid' })
  await expect(all(client.json.add([{ kind: 'file', path: 'x', content: endless() }], { chunker: 'nope' }))).rejects.toMatchObject({ code: 500, message: 'unrecognized chunker option: nope' })
  await vi.waitFor(() => { expect(log).toHaveLength(2) })
})

test('a client that leaves ends the work', async () => {
  let ended = 0
  const { port } = await serve({}, {
    fetch: async ({ signal, url }) => {
      if (url.endsWith('/wait')) {
        await once(signal, 'abort')
        ended++
        throw signal.reason
      }
      return new ApiResponse({ status: 200, body: (async function * () { try { for (;;) { yield new Uint8Array(100_000); await new Promise(setImmediate) } } finally { ended++ } })() })
    }
  })
  for (const path of ['/wait', '/stream']) {
    const socket: Socket = connect(port, '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    if (path === '/stream') await once(socket, 'data')
    else await once(socket, 'ready')
    const before = ended
    socket.destroy()
    await vi.waitFor(() => { expect(ended).toBe(before + 1) })
  }
})

test('a body that breaks cuts the connection: it never looks complete', async () => {
  const { port } = await serve({}, { fetch: async () => new ApiResponse({ status: 200, body: (async function * () { yield new Uint8Array(10); throw new Error('broken') })() }) })
  await expect(fetch(`http://127.0.0.1:${port}/`).then(async (response) => await response.arrayBuffer())).rejects.toThrow()
})

test('long headers: what Go lets through passes, more is 431', async () => {
  const { port } = await serve()
  expect((await call(port, { path: `/pins?cids=${cid}&x=${'y'.repeat(7500)}` })).statusCode).toBe(200)
  expect(await raw(port, `GET /pins?x=${'y'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
  expect(await raw(port, 'not http\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
})

test('headers that do not come in time', async () => {
  const { port } = await serve({ readHeaderTimeout: 300 })
  expect(await raw(port, 'GET /id HTTP/1.1\r\nHost')).toMatch(/^HTTP\/1\.1 408 /)
})

test('a Unix socket beside TCP; one that was left behind is replaced, one in use is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-http-'))
  onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
  const path = join(folder, 'api')
  // A process that is killed leaves its socket.
  spawnSync(process.execPath, ['-e', 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))', path])
  expect((await stat(path)).isSocket()).toBe(true)
  const { server, log } = await serve({ listen: ['/ip4/127.0.0.1/tcp/0', `/unix/${path}`] })
  expect(server.addresses()).toEqual([expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/), `/unix${path}`])
  const client = new ClusterClient({ transport: nodeTransport({ endpoints: [{ protocol: 'http', socketPath: path }] }) })
  expect(await client.version()).toBe('1.1.6')
  await vi.waitFor(() => { expect(log.at(-1)).toMatch(/^@ - - \[/) })
  await expect(serve({ listen: [`/unix/${path}`] })).rejects.toMatchObject({ name: 'InvalidConfigError', key: 'api.restapi.http_listen_multiaddress', message: expect.stringContaining('already in use') as string })
  expect(await client.version()).toBe('1.1.6')
})

test('addresses that cannot be listened on name the configuration key', async () => {
  const { port } = await serve()
  const refused: Readonly<Record<string, string>> = {
    [`/ip4/127.0.0.1/tcp/${port}`]: `127.0.0.1:${port} is already in use`, nonsense: 'not a multiaddr', '/ip4/127.0.0.1/udp/9094': 'must be', '/ip4/127.0.0.1': 'must be', '/ip4/127.0.0.1/tcp/0/ws': 'must be', '/p2p/12D3KooWRWTQEAfTUiRJnXDJ3gH6NP7jqgwFYSzrVmwKLMzV4Cay': 'must be'
  }
  for (const [address, reason] of Object.entries(refused)) await expect(serve({ listen: ['/ip4/127.0.0.1/tcp/0', address] }), address).rejects.toMatchObject({ name: 'InvalidConfigError', key: 'api.restapi.http_listen_multiaddress', message: expect.stringContaining(reason) as string })
})

test('stop waits for what runs, then cancels it', async () => {
  const begun = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const { server, base } = await serve({ stopTimeout: 10_000 }, { fetch: async () => { begun.resolve(); await finish.promise; return new ApiResponse({ status: 200, body: 'done' }) } })
  const answer = fetch(base)
  await begun.promise
  const stopped = server.stop()
  finish.resolve()
  expect(await (await answer).text()).toBe('done')
  await stopped
  await expect(fetch(base)).rejects.toThrow()
  await server.stop()

  const entered = Promise.withResolvers<void>()
  const hanging = await serve({ stopTimeout: 50 }, { fetch: async ({ signal }) => { entered.resolve(); await once(signal, 'abort'); throw signal.reason } })
  const failed = expect(fetch(hanging.base)).rejects.toThrow()
  await entered.promise
  await hanging.server.stop()
  await failed
})

test('the access log is in the Common Log Format and holds no secrets', async () => {
  const { port, log } = await serve()
  await call(port, { path: '/id?x="y', headers: { authorization: `Basic ${Buffer.from('ana:secret').toString('base64')}` } })
  await vi.waitFor(() => { expect(log).toHaveLength(1) })
  expect(log[0]).toMatch(/^127\.0\.0\.1 - ana \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/id\?x=\\"y HTTP\/1\.1" 200 \d+$/)
})

test('the next address is tried when there is no connection, and only then', async () => {
  const { port } = await serve()
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const dead = (closed.address() as AddressInfo).port
  closed.close()
  await once(closed, 'close')
  const http = (at: number) => ({ protocol: 'http' as const, host: '127.0.0.1', port: at })
  const client = new ClusterClient({ transport: nodeTransport({ endpoints: [http(dead), http(port)] }) })
  expect(await client.version()).toBe('1.1.6')
  // The body is read once there is a connection, so nothing of it is lost.
  const content = async function * (): AsyncGenerator<Uint8Array> { yield Buffer.from('once') }
  expect(await all(client.add([{ kind: 'file', path: 'x', content: content() }]))).toHaveLength(1)
  await expect(client.pinGet(cid)).rejects.toMatchObject({ code: 404 })
  await expect(new ClusterClient({ transport: nodeTransport({ endpoints: [http(dead)] }) }).version()).rejects.toMatchObject({ code: 0, message: expect.stringContaining('ECONNREFUSED') as string })
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => { silent.close() })
  await expect(new ClusterClient({ transport: nodeTransport({ endpoints: [http((silent.address() as AddressInfo).port)], timeout: 200 }) }).version()).rejects.toMatchObject({ code: 0, message: expect.stringContaining('no answer within 0.2 seconds') as string })
})

test('over TLS, with a curve that the reference offers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-tls-'))
  onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '1', '-subj', '/CN=localhost'], { cwd: folder, stdio: 'ignore' })
  const { readFile } = await import('node:fs/promises')
  const { port } = await serve({ tls: { cert: await readFile(join(folder, 'cert.pem'), 'utf8'), key: await readFile(join(folder, 'key.pem'), 'utf8') } })
  const endpoints = [{ protocol: 'https' as const, host: '127.0.0.1', port }]
  expect(await new ClusterClient({ transport: nodeTransport({ endpoints, checkCertificate: false }) }).version()).toBe('1.1.6')
  await expect(new ClusterClient({ transport: nodeTransport({ endpoints }) }).version()).rejects.toMatchObject({ code: 0 })
})
