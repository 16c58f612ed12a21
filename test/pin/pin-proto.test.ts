import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { fromHex, toHex } from 'multiformats/bytes'
import { describe, expect, it } from 'vitest'
import { pinFromJson, pinToJson } from '../../src/pin/pin-json.ts'
import { decodePin, encodePin } from '../../src/pin/pin-proto.ts'
import vectors from '../vectors/wire/pin-proto.json' with { type: 'json' }

const someVector = vectors[0]
if (someVector === undefined) throw new Error('no vectors')

describe('pin protobuf', () => {
  for (const { name, pin, hex, decoded } of vectors) {
    it(`writes ${name} as Go does`, () => { expect(toHex(encodePin(pinFromJson(pin)))).toBe(hex) })
    it(`reads ${name} as Go does`, () => { expect(pinToJson(decodePin(fromHex(hex)))).toEqual(decoded) })
    it(`writes ${name} again as it was read`, () => { expect(toHex(encodePin(decodePin(fromHex(hex))))).toBe(hex) })
  }

  const cid = CID.parse('QmTDPv6TFivv9nGX3oiReXBiRcwtvDxkpARZUZC9Fwysre')

  it('takes the CID of the key over the one inside, which may be bad', () => {
    expect(decodePin(fromHex('0a03ffffff10013200'), { cid }).cid.equals(cid)).toBe(true)
    expect(decodePin(fromHex('10013200'), { cid }).type).toBe('pin')
    expect(() => decodePin(fromHex('0a03ffffff10013200'))).toThrow(expect.objectContaining({ name: 'DecodeError' }))
  })

  it('reads a bad reference and a bad pin update as unset', () => {
    const pin = decodePin(fromHex('1001' + '2a03ffffff' + '3205' + '3a03ffffff'), { cid })
    expect([pin.reference, pin.pinUpdate]).toEqual([undefined, undefined])
  })

  it('refuses a bad peer ID, a bad origin and values out of range', () => {
    for (const hex of ['1a03ffffff', '1a00', '32054a03ffffff', '320a20ffffffffffffffffff01', '38ffffffffffffffffff01']) {
      expect(() => decodePin(fromHex(hex), { cid }), hex).toThrow(expect.objectContaining({ name: 'DecodeError' }))
    }
  })

  it('reads the deprecated metadata first and the sorted list on top', () => {
    const entry = (field: string, key: string, value: string): string => `${field}060a01${toHex(new TextEncoder().encode(key))}1201${toHex(new TextEncoder().encode(value))}`
    const pin = decodePin(fromHex('3218' + entry('52', 'a', '2') + entry('32', 'a', '1') + entry('32', 'b', '1')), { cid })
    expect(pin.metadata).toEqual({ a: '2', b: '1' })
  })

  it('sorts metadata by UTF-8 bytes, not by UTF-16 units', () => {
    const pin = { ...decodePin(fromHex(someVector.hex)), metadata: { '\u{1f4cc}': 'pin', '\uffee': 'dot', a: '1' } }
    expect(Object.keys(decodePin(encodePin(pin)).metadata)).toEqual(['a', '\uffee', '\u{1f4cc}'])
  })

  it('answers any bytes with a pin or a DecodeError', () => {
    const valid = fromHex(someVector.hex)
    const mutated = fc.tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length)).map(([at, byte, end]) => {
      const bytes = valid.slice(0, end)
      if (at < end) bytes[at] = byte
      return bytes
    })
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
      try {
        const pin = decodePin(bytes, { cid })
        expect(decodePin(encodePin(pin), { cid })).toEqual(pin)
      } catch (error) {
        expect(error).toMatchObject({ name: 'DecodeError' })
      }
    }), { numRuns: 2000 })
  })
})
