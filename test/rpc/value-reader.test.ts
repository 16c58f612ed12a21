import fc from 'fast-check'
import { fromHex, toHex } from 'multiformats/bytes'
import { describe, expect, it } from 'vitest'
import * as m from '../../src/rpc/msgpack.ts'
import * as t from '../../src/rpc/types.ts'
import { ValueReader } from '../../src/rpc/value-reader.ts'
import tolerance from '../vectors/wire/decode-tolerance.json' with { type: 'json' }
import vectors from '../vectors/wire/msgpack.json' with { type: 'json' }

async function * chunksOf (bytes: Uint8Array, sizes: readonly number[]): AsyncIterable<Uint8Array> {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const golden = [...vectors.map(({ hex }) => hex), ...tolerance.map(({ Hex }) => Hex)]
const limit = 1 << 20

async function valuesOf (reader: ValueReader, max = limit): Promise<string[]> {
  const values: string[] = []
  for (let value = await reader.next(max); value !== undefined; value = await reader.next(max)) values.push(toHex(value))
  return values
}

describe('value reader', () => {
  it('finds the values whatever the pieces they come in', async () => {
    const bytes = fromHex(golden.join(''))
    for (const sizes of [[1], [2], [7, 1, 30], [bytes.length], [0, 3]]) {
      expect(await valuesOf(new ValueReader(chunksOf(bytes, sizes)))).toEqual(golden)
    }
  })

  it('gives what has come already without waiting, and never more', async () => {
    const bytes = fromHex(golden.join(''))
    await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }), async (sizes) => {
      const reader = new ValueReader(chunksOf(bytes, sizes))
      const values: string[] = []
      for (let value = await reader.next(limit); value !== undefined; value = reader.ready(limit) ?? await reader.next(limit)) values.push(toHex(value))
      expect(values).toEqual(golden)
      expect(reader.ready(limit)).toBeUndefined()
    }))
    const two = new ValueReader(chunksOf(fromHex('c0db00000002616162'), [100]))
    expect(await two.next(limit)).toEqual(fromHex('c0'))
    expect(() => two.ready(6)).toThrow('more than 6 bytes')
  })

  it('knows every kind of value', async () => {
    const kinds = ['cac0000000', 'cbc000000000000000', 'cc01', 'cd0001', 'ce00000001', 'cf0000000000000001', 'd001', 'd10001', 'd200000001', 'd30000000000000001', 'd4ff01', 'd5ff0102', 'd6ff01020304', 'd7ff0102030405060708', 'd8ff' + '00'.repeat(16),
      'c403010203', 'c50001ff', 'c600000001ff', 'c702ff0102', 'c80001ff01', 'c900000001ff01', 'd90161', 'da000161', 'db0000000161', 'dc0002c2c3', 'dd00000001c0', 'de000101c0', 'df0000000101c0', '81a16192c0c0', 'a0', '80', '90', 'e0']
    expect(await valuesOf(new ValueReader(chunksOf(fromHex(kinds.join('')), [3])))).toEqual(kinds)
  })

  it('tells an end between values from one in the middle', async () => {
    for (const hex of golden.filter((text) => text.length > 2)) {
      const cut = new ValueReader(chunksOf(fromHex('c0' + hex.slice(0, -2)), [5]))
      expect(await cut.next(limit)).toEqual(fromHex('c0'))
      await expect(cut.next(limit), hex).rejects.toMatchObject({ name: 'DecodeError', message: expect.stringContaining('ended in the middle') as string })
    }
  })

  it('refuses a value larger than allowed as soon as its length is known', async () => {
    let taken = 0
    async function * endless (): AsyncIterable<Uint8Array> {
      yield fromHex('db10000000')
      for (;;) { taken++; yield new Uint8Array(1024) }
    }
    await expect(new ValueReader(endless()).next(65_536)).rejects.toMatchObject({ name: 'DecodeError' })
    expect(taken).toBe(0)
    for (const hex of ['ddffffffff', 'dfffffffff', 'c6ffffffff', 'c9ffffffff', '92db00001000']) {
      await expect(new ValueReader(chunksOf(fromHex(hex + 'c0c0'), [1])).next(1000), hex).rejects.toMatchObject({ name: 'DecodeError', message: expect.stringContaining('more than 1000') as string })
    }
  })

  it('refuses nesting without end', async () => {
    async function * nested (): AsyncIterable<Uint8Array> { for (;;) yield new Uint8Array(1000).fill(0x91) }
    await expect(new ValueReader(nested()).next(100_000)).rejects.toMatchObject({ name: 'DecodeError' })
  })

  it('reads a block of several MiB in small pieces in linear time', async () => {
    const block = m.encode(m.bytes, new Uint8Array(4 << 20).fill(0x91))
    const value = await new ValueReader(chunksOf(block, [100])).next(8 << 20)
    expect(value?.length).toBe(block.length)
  })

  it('writes values that outgrow the buffer at any place', () => {
    const metric = m.decode(t.metric, fromHex(vectors.find(({ name }) => name === 'metric-freespace')?.hex ?? ''))
    for (let size = 65_400; size < 65_560; size++) {
      const value = { ...metric, value: 'x'.repeat(size) }
      expect(m.decode(t.metric, m.encode(t.metric, value))).toEqual(value)
    }
  })

  it('drops the rest when drained', async () => {
    const reader = new ValueReader(chunksOf(fromHex(golden.join('')), [10]))
    await reader.next(limit)
    await reader.drain()
    expect(await reader.next(limit)).toBeUndefined()
  })
})

describe('decoders of any bytes', () => {
  const schemas: Readonly<Record<string, m.Schema<unknown>>> = Object.fromEntries(Object.entries(t).filter(([, value]) => typeof value === 'object')) as never
  const valid = golden.map(fromHex)
  const mutated = fc.tuple(fc.constantFrom(...valid), fc.nat(), fc.nat(255), fc.boolean()).map(([bytes, at, byte, cut]) => {
    const copy = bytes.slice(0, cut ? at % (bytes.length + 1) : bytes.length)
    if (copy.length > 0) copy[at % copy.length] = byte
    return copy
  })

  for (const [name, schema] of Object.entries(schemas)) {
    it(`${name}: a value or a DecodeError, and what was read is written and read alike`, () => {
      fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated, fc.constantFrom(...valid)), (bytes) => {
        let value: unknown
        try { value = m.decode(schema, bytes) } catch (error) { expect(error).toMatchObject({ name: 'DecodeError' }); return }
        const again = m.encode(schema, value)
        expect(toHex(m.encode(schema, m.decode(schema, again)))).toBe(toHex(again))
      }), { numRuns: 500 })
    })
  }
})
