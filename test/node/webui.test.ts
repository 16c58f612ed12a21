/** The dashboard's files on the API listener: types, caching, no login, nothing from outside their folder. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { createHttpServer } from '../../node/http/server.ts'
import { webUi, webUiFolder } from '../../node/webui.ts'
import { createApi } from '../../src/api/api.ts'
import { silentLogger } from '../../src/component.ts'
import { MemoryCluster } from '../api/memory-cluster.ts'
import type { IncomingMessage } from 'node:http'
import type { HttpServerOptions } from '../../node/http/server.ts'

const script = 'assets/index-Ab3_dE-9.js'

async function temporary (): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-webui-'))
  onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
  return folder
}

async function serve (options: Partial<HttpServerOptions> = {}): Promise<{ readonly folder: string, readonly port: number, readonly base: string }> {
  const outer = await temporary()
  const folder = join(outer, 'webui')
  await mkdir(join(folder, 'assets'), { recursive: true })
  await Promise.all([
    writeFile(join(outer, 'secret.txt'), 'not for the world'), writeFile(join(folder, '.hidden'), 'hidden'),
    writeFile(join(folder, 'index.html'), '<!doctype html>'), writeFile(join(folder, script), 'export {}'), writeFile(join(folder, 'icon.svg'), '<svg/>')
  ])
  const api = createApi(new MemoryCluster(), { pages: webUi(folder), credentials: { ana: 'secret' } })
  const server = createHttpServer({ api, logger: silentLogger }, { listen: ['/ip4/127.0.0.1/tcp/0'], accessLog: () => {}, stopTimeout: 200, ...options })
  await server.start()
  onTestFinished(async () => { await server.stop() })
  const port = Number(server.addresses()[0]?.split('/')[4])
  return { folder, port, base: `http://127.0.0.1:${port}` }
}

/** Bodies of what a raw request line gets. */
async function raw (port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  let answer = ''
  for await (const data of socket) answer += String(data)
  return answer
}

test('pages need no login, calls do', async () => {
  const { base } = await serve()
  const page = await fetch(`${base}/webui/`)
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(await page.text()).toBe('<!doctype html>')
  expect((await fetch(`${base}/id`)).status).toBe(401)
  expect((await fetch(`${base}/webuix`)).status).toBe(401)
  const moved = await fetch(`${base}/webui`, { redirect: 'manual' })
  expect([moved.status, moved.headers.get('location')]).toEqual([307, '/webui/'])
  expect((await fetch(`${base}/webui/`, { method: 'POST' })).status).toBe(405)
  expect((await fetch(`${base}/`, { headers: { authorization: `Basic ${btoa('ana:secret')}` } })).status).toBe(404)
})

test('the page is asked for anew each time, what has a hash in its name never again', async () => {
  const { base, folder } = await serve()
  const page = await fetch(`${base}/webui/index.html`)
  expect(page.headers.get('cache-control')).toBe('no-cache')
  const etag = page.headers.get('etag') ?? ''
  expect((await fetch(`${base}/webui/`, { headers: { 'if-none-match': `"other", W/${etag}` } })).status).toBe(304)
  await writeFile(join(folder, 'index.html'), '<!doctype html>new')
  expect((await fetch(`${base}/webui/`, { headers: { 'if-none-match': etag } })).status).toBe(200)
  const asset = await fetch(`${base}/webui/${script}`)
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(asset.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect((await fetch(`${base}/webui/icon.svg`)).headers.get('content-type')).toBe('image/svg+xml')
  const head = await fetch(`${base}/webui/${script}`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '9', ''])
})

test('only scripts of its own run, and no other page frames it', async () => {
  const { base } = await serve()
  const policy = (await fetch(`${base}/webui/`)).headers.get('content-security-policy') ?? ''
  const directives = new Map(policy.split('; ').map((directive) => [directive.split(' ')[0], directive]))
  expect(directives.get('default-src')).toBe("default-src 'none'")
  expect(directives.get('script-src')).toBe("script-src 'self' 'wasm-unsafe-eval'")
  expect(directives.get('connect-src')).toBe('connect-src http: https: ws: wss:')
  expect(directives.get('frame-ancestors')).toBe("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe-inline')
})

test('nothing outside the folder is served', async () => {
  const { port } = await serve()
  for (const path of ['/webui/../secret.txt', '/webui/..%2fsecret.txt', '/webui/%2e%2e/secret.txt', '/webui/assets/../../secret.txt', '/webui//secret.txt', '/webui/..\\secret.txt', '/webui/.hidden', '/webui/assets', '/webui/assets/', '/webui/%00', `/webui/${'a'.repeat(3000)}`]) {
    const answer = await raw(port, path)
    expect(answer, path).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer, path).not.toContain('not for the world')
  }
})

test('where it is not built, it says how', async () => {
  const missing = webUi(join(await temporary(), 'webui'))
  const answer = await missing({ method: 'GET', url: 'http://x/webui/', headers: new Headers(), body: null, signal: new AbortController().signal }, '/webui/')
  expect(answer?.status).toBe(404)
  expect(answer?.body).toContain('npm run build:webui')
})

test('the folder is that of the package, from wherever the program runs', async () => {
  const outer = await temporary()
  await mkdir(join(outer, 'dist/chunks/node'), { recursive: true })
  await writeFile(join(outer, 'package.json'), '{}')
  for (const from of ['node', 'dist/bin', 'dist/chunks/node']) expect(webUiFolder(join(outer, from))).toBe(join(outer, 'dist/webui'))
})

test('over TLS', async () => {
  const folder = await temporary()
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '1', '-subj', '/CN=localhost'], { cwd: folder, stdio: 'ignore' })
  const { port } = await serve({ tls: { cert: await readFile(join(folder, 'cert.pem'), 'utf8'), key: await readFile(join(folder, 'key.pem'), 'utf8') } })
  const outgoing = request({ host: '127.0.0.1', port, path: '/webui/', rejectUnauthorized: false })
  outgoing.end()
  const [incoming] = await once(outgoing, 'response') as [IncomingMessage]
  let text = ''
  for await (const data of incoming) text += String(data)
  expect([incoming.statusCode, text]).toEqual([200, '<!doctype html>'])
})
