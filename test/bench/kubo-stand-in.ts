/**
 * The calls a cluster peer makes to kubo, answered from memory: so that two servers are compared with the same, fast IPFS behind each.
 * Run as a process of its own: `node test/bench/kubo-stand-in.ts PORT`; prints its port when it listens (0 = any).
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHash } from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

const id = base58btc.encode(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20, ...createHash('sha256').update(String(process.pid)).digest())).slice(1)
const pins = new Map<string, string>()
let repoSize = 0

const send = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value) + '\n')
}
const notPinned = (response: ServerResponse, cid: string): void => { send(response, 500, { Message: `path '${cid}' is not pinned`, Code: 0, Type: 'error' }) }

/** Some pins by name, a line each; nothing is said of any where one is missing, as in kubo. */
function listNamed (response: ServerResponse, cids: readonly string[]): void {
  const missing = cids.find((cid) => !pins.has(cid))
  if (missing !== undefined) { notPinned(response, missing); return }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(cids.map((cid) => `{"Cid":"${cid}","Type":"${pins.get(cid)}"}\n`).join(''))
}

/** All of a type, in chunks of lines. */
function * linesOf (wanted: string): Generator<string> {
  let chunk = ''
  for (const [key, type] of pins) {
    if (wanted !== 'all' && wanted !== type) continue
    chunk += `{"Cid":"${key}","Type":"${type}"}\n`
    if (chunk.length < 65_536) continue
    yield chunk
    chunk = ''
  }
  yield chunk
}

/** Answers one line a part of the multipart body, as kubo does; parts are found by their boundary in what has come so far. */
async function putBlocks (request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
  const boundary = Buffer.from(`--${/boundary="?([^";]+)/.exec(request.headers['content-type'] ?? '')?.[1] ?? ''}`)
  const codec = { 'dag-pb': 0x70, raw: 0x55, 'dag-cbor': 0x71 }[query.get('cid-codec') ?? 'raw'] ?? 0x55
  response.writeHead(200, { 'content-type': 'application/json' })
  let pending = Buffer.alloc(0)
  let started = false
  let searched = 0
  for await (const data of request) {
    pending = Buffer.concat([pending, data as Buffer])
    for (;;) {
      const end = pending.indexOf(boundary, searched)
      searched = end < 0 ? Math.max(0, pending.length - boundary.length) : 0
      if (end < 0) break
      if (started) {
        const head = pending.indexOf('\r\n\r\n')
        const body = pending.subarray(head + 4, end - 2)
        repoSize += body.length
        const cid = CID.createV1(codec, Digest.create(0x12, createHash('sha256').update(body).digest()))
        response.write(JSON.stringify({ Key: cid.toString(), Size: body.length }) + '\n')
      }
      started = true
      pending = pending.subarray(end + boundary.length)
    }
  }
  response.end()
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://stand-in')
  const cids = url.searchParams.getAll('arg')
  const call = url.pathname.replace('/api/v0/', '')
  if (call === 'block/put') { putBlocks(request, response, url.searchParams).catch(() => response.destroy()); return }
  request.resume()
  if (call === 'pin/add') {
    for (const cid of cids) pins.set(cid, url.searchParams.get('recursive') === 'false' ? 'direct' : 'recursive')
    send(response, 200, { Pins: cids })
  } else if (call === 'pin/rm') {
    const missing = cids.find((cid) => !pins.delete(cid))
    if (missing === undefined) send(response, 200, { Pins: cids })
    else send(response, 500, { Message: 'not pinned or pinned indirectly', Code: 0, Type: 'error' })
  } else if (call === 'pin/ls') {
    if (cids.length > 0) listNamed(response, cids)
    else {
      response.writeHead(200, { 'content-type': 'application/json' })
      // At the reader's pace: a million lines are not kept in memory.
      pipeline(Readable.from(linesOf(url.searchParams.get('type') ?? 'all')), response).catch(() => response.destroy())
    }
  } else if (call === 'id') send(response, 200, { ID: id, Addresses: [], AgentVersion: 'stand-in' })
  else if (call === 'repo/stat') send(response, 200, { RepoSize: repoSize, StorageMax: 1e15, NumObjects: 0 })
  else if (call === 'swarm/peers') send(response, 200, { Peers: [] })
  else if (call === 'stand-in/pins') send(response, 200, { Pins: pins.size })
  else send(response, 404, { Message: `the stand-in has no ${call}`, Code: 0, Type: 'error' })
})
server.keepAliveTimeout = 120_000
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => { console.log((server.address() as AddressInfo).port) })
