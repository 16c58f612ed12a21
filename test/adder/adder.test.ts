/** Adding against what Go answered (test/vectors) and what kubo makes of the same bytes. */
import { createAdder } from '../../src/adder/unixfs.ts'
import { silentLogger } from '../../src/component.ts'
import { MemoryConnector } from '../../src/ipfs/memory.ts'
import { defaultPinOptions } from '../../src/pin/pin.ts'
import rest from '../vectors/rest/rest-api.json' with { type: 'json' }
import { collect, each } from '../contract/ipfs-connector.ts'
import { peerIdFromString } from '@libp2p/peer-id'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import type { AddEntry, Added, AddOptions } from '../../src/adder/adder.ts'
import type { Pin, PinOptions } from '../../src/pin/pin.ts'
import type { NodeWithMeta } from '../../src/rpc/methods.ts'
import type { RpcClient } from '../../src/rpc/rpc.ts'
import type { PeerId } from '@libp2p/interface'

const alpha = peerIdFromString('12D3KooWFykm5gndKjXgNgAF2shsNfKvoDhEunPQF2XeWSkQrX4H')
const beta = peerIdFromString('12D3KooWRWTQEAfTUiRJnXDJ3gH6NP7jqgwFYSzrVmwKLMzV4Cay')
const gamma = peerIdFromString('12D3KooWHdPpr1qqT3ZceJkywMdcra2SnvmZSLtRXcvhPB7RUQUe')

/** Peers that take blocks into memory, and the pins that were committed. */
class FakeCluster {
  readonly stores = new Map<string, MemoryConnector>()
  readonly pins: Pin[] = []
  readonly asked: PinOptions[] = []
  readonly received: NodeWithMeta[] = []
  readonly failing = new Map<string, Error>()
  allocations: readonly PeerId[] = [alpha, beta]

  readonly rpc: Pick<RpcClient, 'stream'> = {
    stream: (peer, _method, args) => this.#take(peer, args as AsyncIterable<NodeWithMeta>) as never
  }

  async * #take (peer: PeerId, args: AsyncIterable<NodeWithMeta>): AsyncGenerator<never> {
    yield * []
    const failure = this.failing.get(peer.toString())
    if (failure !== undefined) throw failure
    const store = this.stores.get(peer.toString()) ?? new MemoryConnector()
    this.stores.set(peer.toString(), store)
    const { received } = this
    const seen = (async function * () {
      for await (const node of args) {
        received.push(node)
        yield node
      }
    })()
    await collect(store.blockPutStream(seen))
  }

  add (entries: readonly AddEntry[] | AsyncIterable<AddEntry>, options: Partial<AddOptions> = {}): AsyncIterable<Added> {
    const adder = createAdder({
      self: alpha, rpc: this.rpc, logger: silentLogger,
      allocate: (pin) => { this.asked.push(pin); return this.allocations },
      pin: async (pin) => { this.pins.push(pin) }
    })
    return adder.add(Symbol.asyncIterator in entries ? entries : each(entries), { pin: defaultPinOptions, ...options })
  }
}

const utf8 = new TextEncoder()
const file = (path: string, ...chunks: ReadonlyArray<string | Uint8Array>): AddEntry => ({ kind: 'file', path, content: each(chunks.map((chunk) => typeof chunk === 'string' ? utf8.encode(chunk) : chunk)) })
const folder = (path: string): AddEntry => ({ kind: 'directory', path })
const shown = (objects: readonly Added[]): unknown[] => objects.map(({ name, cid, bytes, size }) => ({ name, cid: cid?.toString() ?? null, ...(bytes === undefined ? {} : { bytes }), ...(size === undefined ? {} : { size }) }))

/** The objects of a recorded answer, without allocations. */
function recorded (name: string): unknown[] {
  const found = rest.find((exchange) => exchange.name === name)
  if (found === undefined) throw new Error(`no recording ${name}`)
  return found.body.trim().split('\n').flatMap((line) => JSON.parse(line) as unknown).map((object) => {
    const { allocations, ...others } = object as { readonly allocations?: unknown }
    return allocations === null ? object : others
  })
}

/** Bytes that are the same everywhere: the hashes of `pinswarm-0` to `pinswarm-65535`, 2 MiB. */
async function bigFile (): Promise<Uint8Array> {
  const whole = new Uint8Array(65_536 * 32)
  for (let index = 0; index < 65_536; index++) whole.set(await sha256.encode(utf8.encode(`pinswarm-${index}`)), index * 32)
  return whole
}

const hello = (): AddEntry => file('hello.txt', 'hello world\n')

describe('what Go answered', () => {
  const cases: ReadonlyArray<readonly [name: string, entries: () => readonly AddEntry[], options: Partial<AddOptions>]> = [
    ['add one', () => [hello()], {}],
    ['add cidv1 raw leaves progress', () => [hello()], { cidVersion: 1, rawLeaves: true, progress: true }],
    ['add wrap', () => [hello()], { wrapWithDirectory: true }],
    ['add local', () => [hello()], { local: true }],
    ['add no pin', () => [hello()], { noPin: true }],
    ['add trickle', () => [hello()], { layout: 'trickle', chunker: 'size-1024', hash: 'sha2-256' }],
    ['add directory', () => [folder('d'), file('d/a.txt', 'aaa'), file('d/sub/b.txt', 'bbb')], {}]
  ]
  it.each(cases)('%s', async (name, entries, options) => {
    expect(shown(await collect(new FakeCluster().add(entries(), options)))).toEqual(recorded(name))
  })

  it('a file of 2 MiB', async () => {
    const [expected] = recorded('add sharded').filter((object) => (object as { name: string }).name === 'big.bin')
    expect(shown(await collect(new FakeCluster().add([file('big.bin', await bigFile())], { chunker: 'size-262144' })))).toEqual([expected])
  })

  it.each([['add bad chunker', { chunker: 'nope' }], ['add bad hash', { hash: 'nope' }]] as const)('%s', async (name, options) => {
    const text = rest.find((exchange) => exchange.name === name)?.trailers.flat().at(1)
    await expect(collect(new FakeCluster().add([hello()], options))).rejects.toThrow(text)
  })

  it('progress of a folder, without its name', async () => {
    const objects = await collect(new FakeCluster().add([folder('d'), file('d/one.txt', 'one'), folder('d/e'), file('d/e/two.txt', 'two')], { progress: true }))
    expect(objects.map(({ name, bytes }) => [name, bytes])).toEqual([['one.txt', 3], ['d/one.txt', undefined], ['e/two.txt', 3], ['d/e/two.txt', undefined], ['d/e', undefined], ['d', undefined]])
  })
})

describe('pins and destinations', () => {
  it('pins the root, recursively, with the allocations of the first block', async () => {
    const cluster = new FakeCluster()
    const objects = await collect(cluster.add([hello()], { pin: { ...defaultPinOptions, name: 'hello', mode: 'direct' } }))
    expect(cluster.asked).toHaveLength(1)
    expect(cluster.pins).toMatchObject([{ name: 'hello', mode: 'recursive', maxDepth: -1, type: 'pin', allocations: [alpha, beta] }])
    expect(String(cluster.pins[0]?.cid)).toBe(String(objects.at(-1)?.cid))
    expect(objects.at(-1)?.allocations).toEqual([alpha, beta])
    expect([...cluster.stores.values()].map(({ blockCount }) => blockCount)).toEqual([1, 1])
  })

  it('pins nothing when told so', async () => {
    const cluster = new FakeCluster()
    await collect(cluster.add([hello()], { noPin: true }))
    expect(cluster.pins).toEqual([])
    expect(cluster.stores.size).toBe(2)
  })

  it('puts the blocks only here with `local`, and takes the place of the last allocation', async () => {
    const cluster = new FakeCluster()
    cluster.allocations = [beta, gamma]
    await collect(cluster.add([hello()], { local: true }))
    expect([...cluster.stores.keys()]).toEqual([alpha.toString()])
    expect(cluster.pins[0]?.allocations).toEqual([beta, alpha])
  })

  it('leaves the allocations alone where the user named some', async () => {
    const cluster = new FakeCluster()
    cluster.allocations = [beta, gamma]
    await collect(cluster.add([hello()], { local: true, pin: { ...defaultPinOptions, userAllocations: [gamma] } }))
    expect([...cluster.stores.keys()]).toEqual([alpha.toString()])
    expect(cluster.pins[0]?.allocations).toEqual([beta, gamma])
  })

  it('succeeds while one destination works', async () => {
    const cluster = new FakeCluster()
    cluster.failing.set(alpha.toString(), new Error('no space left'))
    await collect(cluster.add([file('big.bin', await bigFile())]))
    expect(cluster.pins).toHaveLength(1)
    expect(cluster.stores.get(beta.toString())?.blockCount).toBe(9)
  })

  it('fails, and pins nothing, when all of them fail', async () => {
    const cluster = new FakeCluster()
    for (const peer of [alpha, beta]) cluster.failing.set(peer.toString(), new Error('no space left'))
    await expect(collect(cluster.add([hello()]))).rejects.toThrow('failed to put block on all destinations')
    expect(cluster.pins).toEqual([])
  })

  it('passes on why nobody can be allocated', async () => {
    const adder = createAdder({ self: alpha, rpc: new FakeCluster().rpc, logger: silentLogger, allocate: () => { throw new Error('not enough peers') }, pin: async () => {} })
    await expect(collect(adder.add(each([hello()]), { pin: defaultPinOptions }))).rejects.toThrow('not enough peers')
  })

  it('passes on an upload that breaks off, and pins nothing', async () => {
    const cluster = new FakeCluster()
    const broken = async function * (): AsyncGenerator<Uint8Array> {
      yield utf8.encode('half')
      throw new Error('the client has gone')
    }
    await expect(collect(cluster.add([{ kind: 'file', path: 'half.txt', content: broken() }]))).rejects.toThrow('the client has gone')
    expect(cluster.pins).toEqual([])
  })

  it('stops when nobody reads the output any more', async () => {
    const cluster = new FakeCluster()
    let read = 0
    const endless = async function * (): AsyncGenerator<AddEntry> {
      for (;;) yield file(`${read++}.txt`, `file ${read}`)
    }
    for await (const { name } of cluster.add(endless(), { wrapWithDirectory: true })) if (name === '10.txt') break
    expect(read).toBeLessThan(200)
    expect(cluster.pins).toEqual([])
  })

  it('stops when the signal fires', async () => {
    const controller = new AbortController()
    const entries = async function * (): AsyncGenerator<AddEntry> {
      yield hello()
      controller.abort(new Error('enough'))
      yield hello()
    }
    const cluster = new FakeCluster()
    await expect(collect(cluster.add(entries(), { signal: controller.signal }))).rejects.toThrow('enough')
    expect(cluster.pins).toEqual([])
  })

  it('reads no further ahead than its bound while a destination does not take blocks', async () => {
    const cluster = new FakeCluster()
    const gate = Promise.withResolvers<void>()
    const slow = new MemoryConnector()
    slow.before('blockPut', () => gate.promise)
    cluster.stores.set(beta.toString(), slow)
    const chunk = new Uint8Array(256 * 1024)
    let read = 0
    const content = async function * (): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 200; index++) {
        chunk[0] = index
        read += chunk.length
        yield chunk.slice()
      }
    }
    const adding = collect(cluster.add([{ kind: 'file', path: 'long.bin', content: content() }]))
    await expect.poll(() => cluster.stores.get(alpha.toString())?.blockCount ?? 0).toBeGreaterThan(10)
    await new Promise((resolve) => { setTimeout(resolve, 50) })
    expect(read).toBeLessThan(16 * 1024 * 1024)
    gate.resolve()
    await adding
    expect(slow.blockCount).toBe(203)
  })
})

describe('trees', () => {
  it('emits every folder once, those below first, by name', async () => {
    const objects = await collect(new FakeCluster().add([folder('r'), file('r/z.txt', 'z'), folder('r/b'), folder('r/empty'), file('r/b/y.txt', 'y'), file('r/a/c/x.txt', 'x')]))
    expect(objects.map(({ name }) => name)).toEqual(['r/z.txt', 'r/b/y.txt', 'r/a/c/x.txt', 'r/a/c', 'r/a', 'r/b', 'r/empty', 'r'])
  })

  it('pins the last of several at the top', async () => {
    const cluster = new FakeCluster()
    const objects = await collect(cluster.add([file('one.txt', 'one'), folder('two'), file('two/x.txt', 'x'), file('three.txt', 'three')]))
    expect(objects.map(({ name }) => name)).toEqual(['one.txt', 'two/x.txt', 'two', 'three.txt'])
    expect(String(cluster.pins[0]?.cid)).toBe(String(objects.at(-1)?.cid))
  })

  it('adds a file without a name (stdin) and an empty one', async () => {
    const objects = await collect(new FakeCluster().add([file('', 'hello world\n')]))
    expect(shown(objects)).toEqual([{ name: '', cid: 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o', size: 20 }])
    expect(shown(await collect(new FakeCluster().add([file('empty')])))).toEqual([{ name: 'empty', cid: 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH', size: 6 }])
  })

  it.each(['a/../../b', '..', 'nul\0'])('refuses the path %j', async (path) => {
    await expect(collect(new FakeCluster().add([file(path, 'x')]))).rejects.toThrow('not a path below the root')
  })

  it('refuses a file that is a folder too', async () => {
    await expect(collect(new FakeCluster().add([file('d/a', 'x'), file('d/a/b', 'x')]))).rejects.toThrow('a file and a folder')
  })
})

it.each([['size-0', 'greater than 0'], ['size-x', 'invalid syntax'], ['size-2000000', 'maximum chunk size'], ['rabin-1-2-3', 'greater than 16'], ['rabin-16-32', 'incorrect format']])('refuses the chunker %s', async (chunker, text) => {
  await expect(collect(new FakeCluster().add([hello()], { chunker }))).rejects.toThrow(text)
})
