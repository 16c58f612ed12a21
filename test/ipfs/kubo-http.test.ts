import { silentLogger } from '../../src/component.ts'
import { KuboHttp, lineChunks } from '../../src/ipfs/kubo-http.ts'
import { KuboConnector, originOf } from '../../src/ipfs/kubo.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { collect, each, rawBlock } from '../contract/ipfs-connector.ts'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Clock } from '../../src/component.ts'
import type { KuboOptions } from '../../src/ipfs/kubo.ts'
import type { KuboPost, KuboRequest } from '../../src/ipfs/kubo-http.ts'
import type { IpfsConnector } from '../../src/ipfs/ipfs.ts'

const utf8 = new TextEncoder()
const node = multiaddr('/ip4/127.0.0.1/tcp/5001')
type Answer = string | Error | ((request: KuboRequest, path: string) => string | Error | AsyncIterable<Uint8Array> | Promise<never>)

/** A kubo that answers each path with this; a status other than 200 is written in front: `500 {…}`. */
const answering = (answers: Readonly<Record<string, Answer>>, asked: string[] = []): KuboPost => async (url, request) => {
  const path = url.replace('http://127.0.0.1:5001/api/v0/', '')
  asked.push(path)
  const found = answers[path.split('?')[0] ?? ''] ?? '404 404 page not found'
  const answer = typeof found === 'function' ? await found(request, path) : found
  if (answer instanceof Error) throw answer
  if (typeof answer !== 'string') return { status: 200, body: answer }
  const status = /^\d{3} /.exec(answer)
  return { status: status === null ? 200 : Number(status[0]), body: each([utf8.encode(status === null ? answer : answer.slice(4))]) }
}

const kubo = (answers: Readonly<Record<string, Answer>>, options: KuboOptions = {}, asked: string[] = []): IpfsConnector => new KuboConnector(node, { logger: silentLogger }, { post: answering(answers, asked), ...options })

/** Never answers; rejects when it is given up. */
const silence = async ({ signal }: KuboRequest): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => { reject(signal.reason) })
  return await promise
}

it.each([
  ['/ip4/127.0.0.1/tcp/5001', 'http://127.0.0.1:5001'], ['/ip6/::1/tcp/5001', 'http://[::1]:5001'], ['/dns4/kubo.example/tcp/443/https', 'https://kubo.example:443'], ['/dns/kubo/tcp/5001/http', 'http://kubo:5001']
])('reaches %s at %s', (address, origin) => { expect(originOf(multiaddr(address))).toBe(origin) })

it('refuses an address without a TCP port, naming the key', () => {
  expect(() => originOf(multiaddr('/ip4/127.0.0.1/udp/5001'))).toThrow('ipfs_connector.ipfshttp.node_multiaddress')
})

it('says errors as Go does', async () => {
  const { cid } = await rawBlock('x')
  const ipfs = kubo({ 'pin/add': '500 {"Message":"pin: broken","Code":0,"Type":"error"}', 'pin/ls': '500 {"Message":"path is not pinned"}', 'pin/rm': '500 {"Message":"not pinned or pinned indirectly"}' })
  await expect(ipfs.pin(pinWith(cid))).rejects.toThrow(`IPFS error (pin/add?arg=${cid}&recursive=true&progress=true). Code: 500. Message: pin: broken`)
  expect(await ipfs.pinStatus(pinWith(cid))).toBe('unpinned')
  await ipfs.unpin(cid)
  await expect(ipfs.repoStat()).rejects.toThrow('IPFS error (repo/stat?size-only=true). Code: 404. Message: 404 page not found')
})

it('pins several in one call, and believes only an answer that names as many', async () => {
  const cids = (await Promise.all(['x', 'y'].map(rawBlock))).map(({ cid }) => cid)
  const asked: string[] = []
  await kubo({ 'pin/add': '{"Pins":["x","y"]}\n' }, {}, asked).pinLocal?.(cids)
  expect(asked).toEqual([`pin/add?arg=${cids[0]}&arg=${cids[1]}&recursive=true&offline=true`])
  for (const answer of ['', '{"Pins":["x"]}\n', '{"Pins":7}', '{}']) await expect(kubo({ 'pin/add': answer }).pinLocal?.(cids)).rejects.toMatchObject({ name: 'IpfsUnreachableError' })
})

it('says who refused a connection as Go does', async () => {
  const refused = Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) })
  await expect(kubo({ id: refused }).id()).rejects.toThrow('Post "http://127.0.0.1:5001/api/v0/id": dial tcp 127.0.0.1:5001: connect: connection refused')
})

it('asks for the depth a pin has', async () => {
  const { cid } = await rawBlock('x')
  const asked: string[] = []
  const ipfs = kubo({ 'pin/add': '{"Pins":["x"]}\n' }, {}, asked)
  for (const maxDepth of [-1, 0, 2]) await ipfs.pin({ ...pinWith(cid), maxDepth })
  expect(asked).toEqual([`pin/add?arg=${cid}&recursive=true&progress=true`, `pin/add?arg=${cid}&recursive=false&progress=true`, `pin/add?arg=${cid}&recursive=true&max-depth=2&progress=true`])
})

it('updates from a pin that is held, and pins anew where that fails', async () => {
  const [before, after] = [(await rawBlock('before')).cid, (await rawBlock('after')).cid]
  const held = `{"Cid":"${before}","Type":"recursive"}\n`
  const asked: string[] = []
  await kubo({ 'pin/ls': held, 'pin/update': '{"Pins":[]}' }, {}, asked).pin(pinWith(after, { pinUpdate: before }))
  expect(asked).toEqual([`pin/ls?stream=true&arg=${before}&type=recursive`, `pin/update?arg=${before}&arg=${after}&unpin=false`])
  asked.length = 0
  await kubo({ 'pin/ls': held, 'pin/update': '500 {"Message":"no"}', 'pin/add': '{"Pins":[]}' }, {}, asked).pin(pinWith(after, { pinUpdate: before }))
  expect(asked.at(-1)).toContain('pin/add')
})

it('reports progress, and gives up when there is none', async () => {
  const { cid } = await rawBlock('x')
  const stuck = async function * ({ signal }: KuboRequest): AsyncGenerator<Uint8Array> {
    yield utf8.encode('{"Progress":1}\n{"Progress":5,"Bytes":100}\n')
    yield utf8.encode('{"Progress":5}\n')
    yield await silence({ signal })
  }
  const seen: Array<[number, number | undefined]> = []
  await expect(kubo({ 'pin/add': (request) => stuck(request) }, { pinTimeout: 30 }).pin(pinWith(cid), { onProgress: (blocks, bytes) => { seen.push([blocks, bytes]) } })).rejects.toMatchObject({ name: 'PinTimeoutError' })
  expect(seen).toEqual([[1, undefined], [5, 100]])
})

it('takes an answer that ends early, or an error in the middle, for a failure', async () => {
  const { cid } = await rawBlock('x')
  await expect(kubo({ 'pin/add': '{"Progress":1}\n' }).pin(pinWith(cid))).rejects.toMatchObject({ name: 'IpfsUnreachableError' })
  await expect(kubo({ 'pin/add': '{"Progress":1}\n{"Message":"disk full","Code":0,"Type":"error"}\n' }).pin(pinWith(cid))).rejects.toThrow('Message: disk full')
})

it('connects to ten origins at most, without waiting', async () => {
  const { cid } = await rawBlock('x')
  const asked: string[] = []
  const origins = Array.from({ length: 12 }, (_, index) => multiaddr(`/ip4/192.0.2.${index + 1}/tcp/4001/p2p/12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H`))
  const ipfs = kubo({ 'pin/add': '{"Pins":[]}', 'swarm/connect': silence }, {}, asked)
  await ipfs.pin(pinWith(cid, { origins }))
  expect(asked.filter((path) => path.startsWith('swarm/connect'))).toHaveLength(10)
  await ipfs.stop()
})

it('refuses to unpin when told so', async () => {
  await expect(kubo({}, { unpinDisable: true }).unpin((await rawBlock('x')).cid)).rejects.toThrow('ipfs unpinning is disallowed by configuration on this peer')
})

it('puts the blocks that came meanwhile into one request', async () => {
  const asked: string[] = []
  const ipfs = kubo({ 'block/put': ({ body }) => each((new TextDecoder().decode(body).match(/block-\d+/g) ?? []).map((name) => utf8.encode(`{"Key":"${keys.get(name)}","Size":1}\n`))) }, {}, asked)
  const blocks = await Promise.all(Array.from({ length: 50 }, (_, index) => rawBlock(`block-${index}`)))
  const keys = new Map(blocks.map(({ cid }, index) => [`block-${index}`, cid.toString()]))
  expect((await collect(ipfs.blockPutStream(each(blocks)))).map(String)).toEqual(blocks.map(({ cid }) => cid.toString()))
  expect(asked.length).toBeLessThan(10)
  expect(asked[0]).toBe('block/put?allow-big-block=true&cid-codec=raw&mhlen=32&mhtype=sha2-256&pin=false')
})

it('slows down after ten failures, until one request works', async () => {
  let now = 0
  const slept: number[] = []
  const clock: Clock = { now: () => now, sleep: async (ms) => { slept.push(ms); now += ms } }
  let down = true
  const http = new KuboHttp('http://127.0.0.1:5001', { clock, post: async () => {
    if (down) throw new TypeError('fetch failed')
    return { status: 200, body: each([utf8.encode('{}')]) }
  } })
  const ask = async (): Promise<unknown> => await http.value('id', { timeout: 1000 }).catch(() => undefined)
  for (let index = 0; index < 14; index++) await ask()
  expect(slept).toEqual([1000, 1000])
  down = false
  await ask()
  await ask()
  await ask()
  expect(slept).toEqual([1000, 1000, 1000])
})

it('times out where kubo says nothing', async () => {
  await expect(kubo({ id: silence }, { requestTimeout: 20 }).id()).rejects.toThrow('IPFS request (id) timed out: no answer within 0.02 s')
})

it('throws typed errors, and nothing else, at whatever kubo says', async () => {
  const { cid } = await rawBlock('x')
  const names = ['DecodeError', 'IpfsError', 'IpfsUnreachableError', 'InvalidValueError']
  const run = async (text: string): Promise<void> => {
    const everything = { id: text, 'pin/ls': text, 'pin/add': text, 'repo/stat': text, 'repo/gc': text, 'swarm/peers': text, resolve: text, 'block/put': text }
    const ipfs = kubo(everything)
    const calls = [ipfs.id(), ipfs.pin(pinWith(cid)), collect(ipfs.pins()), ipfs.repoStat(), collect(ipfs.repoGc()), ipfs.swarmPeers(), ipfs.resolve('/ipfs/x'), collect(ipfs.blockPutStream(each([{ cid, bytes: utf8.encode('x') }])))]
    for (const result of await Promise.allSettled(calls)) if (result.status === 'rejected') expect([...names, 'BlockMismatchError']).toContain((result.reason as Error).name)
  }
  await fc.assert(fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.constantFrom('{"ID":1}', '{"ID":"x","Addresses":[1,"/ip4"]}', '{"Cid":"x","Type":"recursive"}', '{"RepoSize":-1}', '{"Key":{"/":"x"}}', '{"Peers":[{}]}', '{"Path":"/ipfs"}', '{"Key":"x"}')), run), { numRuns: 100 })
})

it('cuts lines however they come, and refuses one that never ends', async () => {
  expect((await collect(lineChunks(each(['{"a', '":"ä', '"}\n\n{}', '\n', 'x'].map((part) => utf8.encode(part)))))).flat()).toEqual(['{"a":"ä"}', '{}', 'x'])
  const endless = async function * (): AsyncGenerator<Uint8Array> { for (;;) yield new Uint8Array(65_536).fill(65) }
  await expect(collect(lineChunks(endless()))).rejects.toMatchObject({ name: 'DecodeError' })
})
