/**
 * Proof of the cluster secret on a connection that no protector guards (WebRTC): both sides show that they hold it, bound to fresh
 * nonces, both identities and both ends of the encrypted channel, before libp2p gets to see a connection. See docs/threat-model.md.
 *
 * The dialler sends its nonce and the listener answers with its own; the dialler sends its proof, and only a dialler that has proven
 * itself gets the listener's. The dialler repeats its nonce until it is answered; nothing else is sent twice, and nothing after the last proof.
 * A frame is one byte of kind and 32 bytes; a refusal is its kind alone.
 */
import type { PeerId } from '@libp2p/interface'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { DifferentSecretError, MemberProofError } from './errors.ts'

export type ProofFrame = { readonly kind: 'nonce' | 'proof', readonly body: Uint8Array } | { readonly kind: 'refusal' }
export type ProofRole = 'dialler' | 'listener'

const bodyLength = 32
const kinds = { nonce: 1, proof: 2, refusal: 3 } as const
const context = 'pinswarm-member-proof/1'
/** Most frames of one exchange, with all repetitions. */
const maxFrames = 256

export function encodeProofFrame (frame: ProofFrame): Uint8Array<ArrayBuffer> {
  if (frame.kind === 'refusal') return Uint8Array.of(kinds.refusal)
  const bytes = new Uint8Array(1 + bodyLength)
  bytes[0] = kinds[frame.kind]
  bytes.set(frame.body, 1)
  return bytes
}

/** Throws MemberProofError for anything that is not a frame. */
export function decodeProofFrame (bytes: Uint8Array): ProofFrame {
  const [first] = bytes
  if (first === kinds.refusal && bytes.length === 1) return { kind: 'refusal' }
  if (bytes.length === 1 + bodyLength && (first === kinds.nonce || first === kinds.proof)) return { kind: first === kinds.nonce ? 'nonce' : 'proof', body: bytes.slice(1) }
  throw new MemberProofError('the remote does not speak the membership proof')
}

export interface ProofParts {
  /** 32 bytes that every member knows. */
  readonly secret: Uint8Array
  readonly role: ProofRole
  readonly self: PeerId
  /** As the connection's own handshake has proven it. */
  readonly remote: PeerId
  /** 32 bytes, new for each connection. */
  readonly nonce: Uint8Array
  /** What names both ends of the encrypted channel, as each of them sees it: nobody in between can have the same. */
  readonly channel: { readonly dialler: string, readonly listener: string }
}

/** One side of the exchange, without any I/O: frames in, frames out. */
export class MemberProof {
  readonly #parts: ProofParts
  #theirs: Uint8Array | undefined
  #done = false
  #frames = 0

  constructor (parts: ProofParts) { this.#parts = parts }

  /** The remote has proven itself, and our own proof is among what was to be sent. */
  get done (): boolean { return this.#done }

  /** What begins the exchange; the dialler's to send. */
  get opening (): ProofFrame { return { kind: 'nonce', body: this.#parts.nonce } }
  get answered (): boolean { return this.#theirs !== undefined }

  /** What to answer. Throws DifferentSecretError where the remote uses another secret, MemberProofError where it breaks the rules. */
  receive (frame: ProofFrame): readonly ProofFrame[] {
    const { role, nonce } = this.#parts
    if (++this.#frames > maxFrames) throw new MemberProofError('the remote does not end its membership proof')
    if (frame.kind === 'refusal') throw new DifferentSecretError()
    const { kind, body } = frame
    if (kind === 'nonce') {
      if (this.#theirs !== undefined && !equal(body, this.#theirs)) throw new MemberProofError('the remote changed its nonce')
      if (equal(body, nonce)) throw new MemberProofError('the remote sent our own nonce back')
      const isRepeated = this.#theirs !== undefined
      this.#theirs = body
      if (role === 'listener') return [this.opening]
      return isRepeated ? [] : [this.#proof('dialler', body)]
    }
    if (this.#theirs === undefined || this.#done) throw new MemberProofError('the remote sent a proof out of turn')
    const expected = this.#proof(role === 'dialler' ? 'listener' : 'dialler', this.#theirs)
    if (!equal(body, expected.body)) throw new DifferentSecretError()
    this.#done = true
    return role === 'listener' ? [this.#proof('listener', this.#theirs)] : []
  }

  #proof (by: ProofRole, theirs: Uint8Array): { readonly kind: 'proof', readonly body: Uint8Array } {
    const { secret, role, self, remote, nonce, channel } = this.#parts
    const [dialler, listener] = role === 'dialler' ? [self, remote] : [remote, self]
    const [first, second] = role === 'dialler' ? [nonce, theirs] : [theirs, nonce]
    const mac = hmac.create(sha256, secret)
    for (const part of [text(context), text(by), first, second, text(dialler.toString()), text(listener.toString()), text(channel.dialler), text(channel.listener)]) {
      mac.update(Uint8Array.of(part.length >> 8, part.length & 0xff)).update(part)
    }
    return { kind: 'proof', body: mac.digest() }
  }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Takes the same time wherever they differ. */
function equal (one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length
  for (let index = 0; index < one.length; index++) difference |= (one[index] ?? 0) ^ (other[index] ?? 0)
  return difference === 0
}
