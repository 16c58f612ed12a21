import { expect, test } from 'vitest'
import { createApi } from '../../src/api/api.ts'
import { ApiError, ClusterClient, localTransport } from '../../src/api/client.ts'
import { parseStatusFilter } from '../../src/pin/status.ts'
import { MemoryCluster, alpha, beta } from './memory-cluster.ts'
import type { ClientResponse, Transport } from '../../src/api/client.ts'

const cid = 'bafkreibpmsjuqdvcgjat6job2dyepgswvawrnlda6vlolommnivog6v5ky'
const other = 'QmX9skq5gAxy9CNxAtR66rw4paPNtTjkb5EmjkSqYPSZke'

function setup () {
  const cluster = new MemoryCluster()
  return { cluster, client: new ClusterClient({ transport: localTransport(createApi(cluster)) }) }
}

async function all<T> (items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
const textOf = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => await new Blob((await all(chunks)) as BlobPart[]).text()

/** A server that answers this, whatever is asked. */
const answering = (status: number, body: string, type = 'application/json'): Transport => async (): Promise<ClientResponse> => ({
  status, header: (name) => name === 'content-type' ? type : null, body: (async function * () { yield new TextEncoder().encode(body) })()
})

test('every call, typed', async () => {
  const { client } = setup()
  expect((await client.id()).id.equals(alpha)).toBe(true)
  expect(await client.version()).toBe('1.1.6')
  expect((await all(client.peers())).map(({ peerName }) => peerName)).toEqual(['alpha', 'beta'])
  expect((await client.peerAdd(beta)).id.equals(beta)).toBe(true)
  await expect(client.peerRemove(beta)).rejects.toThrow('cannot remove peers')
  const pin = await client.pin(cid, { name: 'ñ & +', replicationFactorMin: 1, replicationFactorMax: 1, metadata: { 'a=b': '?&#' }, userAllocations: [alpha], expireAt: Date.now() + 3_600_000 })
  expect(pin).toMatchObject({ name: 'ñ & +', metadata: { 'a=b': '?&#' }, replicationFactorMin: 1 })
  expect(pin.allocations.map(String)).toEqual([alpha.toString()])
  expect((await client.pinGet(pin.cid)).cid.equals(pin.cid)).toBe(true)
  await client.pin(`/ipfs/${other}`, { mode: 'direct' })
  expect((await all(client.pins())).map((each) => each.cid.toString())).toEqual([cid, other])
  expect(await all(client.pins({ types: ['shard-pin'] }))).toEqual([])
  expect((await client.status(cid)).peerMap.get(beta.toString())?.status).toBe('remote')
  expect((await client.status(cid, { local: true })).peerMap.size).toBe(1)
  expect(await all(client.statusAll({ filter: parseStatusFilter('pinned') }))).toHaveLength(2)
  expect(await all(client.statusAll({ filter: parseStatusFilter('error') }))).toHaveLength(0)
  expect(await all(client.statusAll({ cids: [cid] }))).toHaveLength(1)
  expect((await client.recover(cid)).cid.toString()).toBe(cid)
  expect(await all(client.recoverAll())).toEqual([])
  expect((await client.unpin(cid)).cid.toString()).toBe(cid)
  expect((await client.repoGc()).size).toBe(2)
  expect((await client.graph()).clusterLinks.size).toBe(2)
  expect(await client.alerts()).toEqual([])
  expect((await client.bandwidth()).get('/ipfs/bitswap/1.2.0')?.totalOut).toBe(2n ** 60n + 1n)
  expect(await client.metricNames()).toContain('ping')
  expect((await client.metrics('freespace'))[0]?.weight).toBe(4999978492n)
})

test('files, blobs and streams are added and read back', async () => {
  const { client } = setup()
  let uploaded = 0
  const stream = async function * (): AsyncGenerator<Uint8Array> { yield new TextEncoder().encode('from '); yield new TextEncoder().encode('a stream') }
  const added = await all(client.add([
    { kind: 'file', path: 'd/blob.txt', content: new Blob(['a blob']) }, { kind: 'file', path: 'd/sub dir/€.txt', content: stream() }, { kind: 'symlink', path: 'd/link', target: 'blob.txt' }
  ], { name: 'mine', onUpload: (bytes) => { uploaded = bytes } }))
  const root = added.at(-1)?.cid
  if (root === undefined) throw new Error('nothing was added')
  expect(added.map(({ name }) => name)).toEqual(['d/blob.txt', 'd/sub dir/€.txt', 'd/link', 'd/sub dir', 'd'])
  expect(uploaded).toBeGreaterThan(300)
  expect((await client.pinGet(root)).name).toBe('mine')
  expect(await textOf(client.cat(`${root.toString()}/sub dir/€.txt`))).toBe('from a stream')
  expect(await textOf(client.cat(`${root.toString()}/blob.txt`, { offset: 2 }))).toBe('blob')
  const directory = await client.get(root)
  expect(directory.kind === 'directory' ? (await all(directory.entries)).map(({ name, type }) => [name, type]) : []).toEqual([['blob.txt', 'file'], ['link', 'symlink'], ['sub dir', 'directory']])
  expect(await client.get(`${root.toString()}/link`)).toEqual({ kind: 'symlink', target: 'blob.txt' })
  await expect(all(client.cat(root))).rejects.toThrow('is a directory')
  expect((await all(client.add([{ kind: 'file', path: 'x', content: new Blob(['one blob']) }]))).length).toBe(1)
})

test('failures carry the code and text of the API', async () => {
  const { client } = setup()
  await expect(client.pinGet(cid)).rejects.toEqual(new ApiError(404, 'pin is not part of the pinset'))
  await expect(client.pin(cid, { replicationFactorMin: 5 })).rejects.toMatchObject({ code: 500, message: expect.stringContaining('not enough peers') as string })
  await expect(all(client.add([{ kind: 'file', path: 'a', content: new Blob(['x']) }], { chunker: 'nope' }))).rejects.toEqual(new ApiError(500, 'unrecognized chunker option: nope'))
  const strange = new ClusterClient({ transport: answering(502, '<html>Bad gateway</html>') })
  await expect(strange.id()).rejects.toEqual(new ApiError(502, '<html>Bad gateway</html>'))
  await expect(new ClusterClient({ transport: answering(200, '{') }).id()).rejects.toBeInstanceOf(ApiError)
  const down = new ClusterClient({ transport: async () => { throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }) } })
  await expect(down.id()).rejects.toEqual(new ApiError(0, 'GET "http://127.0.0.1:9094/id": fetch failed: ECONNREFUSED'))
})

test('a listing that was cut never looks complete', async () => {
  const { cluster, client } = setup()
  await client.pin(cid)
  await client.pin(other)
  cluster.breakAfter = 1
  const seen: string[] = []
  await expect((async () => { for await (const pin of client.pins()) seen.push(pin.cid.toString()) })()).rejects.toEqual(new ApiError(500, 'the listing broke'))
  expect(seen).toEqual([cid])
  const withLine = 'application/x-ndjson; status=line'
  const cut = new ClusterClient({ transport: answering(200, '{"id":"x"}\n', withLine) })
  await expect(all(cut.json.peers())).rejects.toThrow('cut before its end')
  const complete = new ClusterClient({ transport: answering(200, '{"id":"x"}\n{"stream_status":"complete"}\n', withLine) })
  expect(await all(complete.json.peers())).toEqual([{ id: 'x' }])
  // A server that knows no closing line tells failures in trailers, where the transport can read them.
  const trailed: Transport = async (request) => ({ ...await answering(200, '{"id":"x"}\n')(request), trailers: Promise.resolve([['X-Stream-Error', ''], ['X-Stream-Error', 'one'], ['X-Stream-Error', 'two']]) })
  await expect(all(new ClusterClient({ transport: trailed }).json.peers())).rejects.toEqual(new ApiError(500, 'one; two'))
})

test('content that ends early, and directories that lead elsewhere, are refused', async () => {
  const short: Transport = async (request) => ({ ...await answering(200, 'abc')(request), header: (name) => name === 'content-length' ? '10' : 'text/plain' })
  await expect(all(new ClusterClient({ transport: short }).cat(cid))).rejects.toThrow('cut after 3 of 10 bytes')
  for (const name of ['..', '.', '', 'a/b', 'a\\u0000']) {
    const node = await new ClusterClient({ transport: answering(200, `{"name":"${name}","cid":"${cid}","size":1,"type":"file"}\n`, 'application/x-ndjson; kind=directory') }).get(cid)
    await expect(node.kind === 'directory' ? all(node.entries) : undefined, name).rejects.toThrow('has an entry named')
  }
})

test('a call ends with the reason of its signal', async () => {
  const { client } = setup()
  const reason = new Error('enough')
  await expect(client.id({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test('waiting for a status', async () => {
  const { cluster, client } = setup()
  await client.pin(cid, { replicationFactorMin: 1, replicationFactorMax: 1 })
  const asked: number[] = []
  const clock = { now: () => 0, sleep: async (ms: number) => { asked.push(ms); cluster.statusOfPins = 'pinned' } }
  cluster.statusOfPins = 'pinning'
  expect((await client.waitFor(cid, 'pinned', { clock })).peerMap.get(beta.toString())?.status).toBe('pinned')
  expect(asked).toEqual([1000])
  cluster.statusOfPins = 'pin_error'
  await expect(client.waitFor(cid, 'pinned', { clock })).rejects.toMatchObject({ name: 'WaitFailedError', message: 'error has occurred while attempting to reach status: pinned' })
  await client.unpin(cid)
  await client.waitFor(cid, 'unpinned', { clock })
  cluster.statusOfPins = 'pinning'
  await client.pin(cid)
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(client.waitFor(cid, 'pinned', { signal })).rejects.toThrow('enough')
})
