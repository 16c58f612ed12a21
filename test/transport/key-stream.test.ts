import * as fc from 'fast-check'
import { base16 } from 'multiformats/bases/base16'
import { expect, it } from 'vitest'
import { KeyStream, xorFar } from '../../src/transport/key-stream.ts'
import { parseSecret } from '../../src/transport/secret.ts'
import vectors from '../vectors/wire/keys.json' with { type: 'json' }

const key = base16.baseDecode(vectors.pnet.secret_hex)
const nonce = base16.baseDecode(vectors.pnet.nonce_hex)

it('gives the keystream of the golden vector', () => {
  expect(base16.baseEncode(new KeyStream(key, nonce).xor(new Uint8Array(64)))).toBe(vectors.pnet.xsalsa20_keystream_first_64_hex)
})

it('gives one stream however it is cut', () => {
  const whole = new KeyStream(key, nonce).xor(new Uint8Array(2000))
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 10 }), (sizes) => {
    const stream = new KeyStream(key, nonce)
    let position = 0
    for (const size of sizes) {
      expect(stream.xor(new Uint8Array(size))).toEqual(whole.subarray(position, position + size))
      position += size
    }
  }))
})

it('counts blocks beyond 32 bits, where the library ends', () => {
  const zeros = new Uint8Array(200)
  expect(xorFar(key, nonce, zeros, 5)).toEqual(new KeyStream(key, nonce, 5 * 64).xor(zeros))
  const border = 2 ** 32 * 64
  const across = new KeyStream(key, nonce, border - 150).xor(new Uint8Array(300))
  const stream = new KeyStream(key, nonce, border - 150)
  expect([...stream.xor(new Uint8Array(10)), ...stream.xor(new Uint8Array(140)), ...stream.xor(new Uint8Array(150))]).toEqual([...across])
  expect(xorFar(key, nonce, zeros, 2 ** 32)).not.toEqual(xorFar(key, nonce, zeros, 0))
})

it('reads a secret, and names the key of a malformed one without telling it', () => {
  expect(parseSecret(vectors.pnet.secret_hex.toUpperCase())).toEqual(key)
  expect(parseSecret('')).toBeUndefined()
  for (const text of ['abc', `${vectors.pnet.secret_hex}00`, 'g'.repeat(64), ` ${vectors.pnet.secret_hex}`]) {
    expect(() => parseSecret(text)).toThrow(/^cluster\.secret: must be 64 hexadecimal/)
    try { parseSecret(text) } catch (error) { expect(String(error)).not.toContain(text) }
  }
})
