import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import type { PeerId } from '@libp2p/interface'
import { decodeProofFrame, encodeProofFrame, MemberProof } from '../../src/transport/member-proof.ts'
import type { ProofFrame, ProofParts } from '../../src/transport/member-proof.ts'

let alice: PeerId
let bob: PeerId
let mallory: PeerId
beforeAll(async () => { [alice, bob, mallory] = await Promise.all([1, 2, 3].map(async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')))) as [PeerId, PeerId, PeerId] })

const secret = new Uint8Array(32).fill(7)
const random = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32))
const channel = { dialler: 'AA:01', listener: 'BB:02' }
const dialler = (other: Partial<ProofParts> = {}): MemberProof => new MemberProof({ secret, role: 'dialler', self: alice, remote: bob, nonce: random(), channel, ...other })
const listener = (other: Partial<ProofParts> = {}): MemberProof => new MemberProof({ secret, role: 'listener', self: bob, remote: alice, nonce: random(), channel, ...other })

/** Passes frames between the two as bytes until nobody has anything to say. */
function talk (one: MemberProof, other: MemberProof): readonly number[] {
  const sent = [0, 0]
  let frames: readonly ProofFrame[] = [one.opening]
  for (let turn = 1; frames.length > 0; turn++) {
    const side = turn % 2 === 1 ? other : one
    const by = turn % 2 === 1 ? 0 : 1
    sent[by] = (sent[by] ?? 0) + frames.length
    frames = frames.flatMap((frame) => side.receive(decodeProofFrame(encodeProofFrame(frame))))
  }
  return sent
}

it('both sides are proven, with two frames each', () => {
  const [one, other] = [dialler(), listener()]
  expect(talk(one, other)).toEqual([2, 2])
  expect([one.done, other.done]).toEqual([true, true])
})

it('a nonce that had to be repeated changes nothing, and nothing follows the last proof', () => {
  const [one, other] = [dialler(), listener()]
  const [answer] = other.receive(one.opening)
  const [again] = other.receive(one.opening)
  expect(again).toEqual(answer)
  if (answer === undefined) throw new Error('no answer')
  const [proof] = one.receive(answer)
  expect(one.receive(answer)).toEqual([])
  if (proof === undefined) throw new Error('no proof')
  const [last] = other.receive(proof)
  if (last === undefined) throw new Error('no proof of the listener')
  expect(one.receive(last)).toEqual([])
  expect([one.done, other.done]).toEqual([true, true])
})

it.each([
  ['another secret', () => ({ secret: new Uint8Array(32).fill(8) })],
  ['another identity of ours', () => ({ self: mallory })],
  ['another identity of the remote', () => ({ remote: mallory })],
  ['another certificate on our end', () => ({ channel: { ...channel, listener: 'CC:03' } })],
  ['another certificate on the other end', () => ({ channel: { ...channel, dialler: 'CC:03' } })]
])('refuses %s', (_, difference) => {
  const other = listener(difference())
  expect(() => talk(dialler(), other)).toThrow(expect.objectContaining({ name: 'DifferentSecretError' }))
  expect(other.done).toBe(false)
})

it('a dialler without the secret never gets a proof to learn from, nor passes with one of its own frames', () => {
  const other = listener()
  const stranger = dialler({ secret: random() })
  const frames = other.receive(stranger.opening).flatMap((frame) => stranger.receive(frame))
  expect(frames.map(({ kind }) => kind)).toEqual(['proof'])
  expect(() => frames.flatMap((frame) => other.receive(frame))).toThrow(expect.objectContaining({ name: 'DifferentSecretError' }))
})

it('what a member says to one peer is worth nothing to another, and nothing comes back to who said it', () => {
  // Mallory stands between Alice and Bob and passes on what each says; both know her by her own identity.
  const [one, other] = [dialler({ remote: mallory }), listener({ remote: mallory })]
  expect(() => talk(one, other)).toThrow(expect.objectContaining({ name: 'DifferentSecretError' }))
  const mirror = dialler()
  expect(() => mirror.receive(mirror.opening)).toThrow(expect.objectContaining({ name: 'MemberProofError' }))
})

it('takes no proof before a nonce, none twice, no second nonce, and does not go on without end', () => {
  const proof: ProofFrame = { kind: 'proof', body: random() }
  const nonce = (): ProofFrame => ({ kind: 'nonce', body: random() })
  const refused = expect.objectContaining({ name: 'MemberProofError' }) as Error
  expect(() => listener().receive(proof)).toThrow(refused)
  const other = listener()
  other.receive(nonce())
  expect(() => other.receive(nonce())).toThrow(refused)
  const [one, patient, same] = [dialler(), listener(), nonce()]
  talk(one, patient)
  expect(() => patient.receive(proof)).toThrow(refused)
  const endless = listener()
  expect(() => { for (let count = 0; count < 1000; count++) endless.receive(same) }).toThrow(refused)
  expect(() => dialler().receive({ kind: 'refusal' })).toThrow(expect.objectContaining({ name: 'DifferentSecretError' }))
})

it('decodes what it encodes, and refuses every other text of bytes with its own error', () => {
  const frame = fc.oneof(fc.record({ kind: fc.constantFrom('nonce', 'proof'), body: fc.uint8Array({ minLength: 32, maxLength: 32 }) }), fc.constant({ kind: 'refusal' as const }))
  fc.assert(fc.property(frame, (given) => { expect(decodeProofFrame(encodeProofFrame(given as ProofFrame))).toEqual(given) }))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    try {
      expect(encodeProofFrame(decodeProofFrame(bytes))).toEqual(new Uint8Array(bytes))
    } catch (error) {
      expect((error as Error).name).toBe('MemberProofError')
    }
  }), { numRuns: 2000 })
})

it('survives any sequence of frames: it answers, or ends with one of its two errors', () => {
  const body = fc.constantFrom(new Uint8Array(32), new Uint8Array(32).fill(1), new Uint8Array(32).fill(2))
  const frames = fc.array(fc.oneof(fc.record({ kind: fc.constantFrom('nonce', 'proof'), body }), fc.constant({ kind: 'refusal' })), { maxLength: 20 })
  fc.assert(fc.property(frames, fc.constantFrom(dialler, listener), (given, side) => {
    const proof = side()
    try {
      for (const each of given) proof.receive(each as ProofFrame)
    } catch (error) {
      expect(['MemberProofError', 'DifferentSecretError']).toContain((error as Error).name)
    }
    expect(proof.done).toBe(false)
  }))
})
