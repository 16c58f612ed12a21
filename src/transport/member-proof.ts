/**
 * Proof of the cluster secret on a connection that no protector guards (WebRTC): both sides show that they hold it, bound to both
 * identities and to fresh nonces, before libp2p gets to see a connection. See docs/threat-model.md.
 *
 * Each side sends a nonce; the dialler answers with its proof, and only a dialler that has proven itself gets the listener's.
 * A frame is one byte of kind and 32 bytes.
 */
import type { PeerId } from '@libp2p/interface'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { DifferentSecretError, MemberProofError } from './errors.ts'

export type ProofFrame = { readonly kind: 'nonce' | 'proof', readonly body: Uint8Array }
export type ProofRole = 'dialler' | 'listener'

const bodyLength = 32
const kinds = { nonce: 1, proof: 2 } as const
const context = 'pinswarm-member-proof/1'

export function encodeProofFrame ({ kind, body }: ProofFrame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + bodyLength)
  bytes[0] = kinds[kind]
  bytes.set(body, 1)
  return bytes
}

/** Throws MemberProofError for anything that is not a frame. */
export function decodeProofFrame (bytes: Uint8Array): ProofFrame {
  const kind = bytes[0] === kinds.nonce ? 'nonce' : bytes[0] === kinds.proof ? 'proof' : undefined
  if (kind === undefined || bytes.length !== 1 + bodyLength) throw new MemberProofError('the remote does not speak the membership proof')
  return { kind, body: bytes.slice(1) }
}

export interface ProofParts {
  /** 32 bytes that every member knows. */
  readonly secret: Uint8Array
  readonly role: ProofRole
  readonly self: PeerId
  /** As the connection's own handshake has proven it. */
  readonly remote: PeerId
  readonly nonce: Uint8Array
}

/** One side of the exchange, without any I/O: frames in, frames out. */
export class MemberProof {
  readonly #parts: ProofParts
  #theirs: Uint8Array | undefined
  #done = false

  constructor (parts: ProofParts) { this.#parts = parts }

  /** The remote has proven itself, and our own proof is among what was to be sent. */
  get done (): boolean { return this.#done }

  /** To be sent, and again until the remote answers: a channel drops what comes before the remote has opened it. */
  get opening (): ProofFrame { return { kind: 'nonce', body: this.#parts.nonce } }
  get answered (): boolean { return this.#theirs !== undefined }

  /** What to answer. Throws DifferentSecretError where the remote uses another secret, MemberProofError where it breaks the rules. */
  receive ({ kind, body }: ProofFrame): readonly ProofFrame[] {
    const { role, nonce } = this.#parts
    if (kind === 'nonce') {
      if (this.#theirs !== undefined) {
        if (!equal(body, this.#theirs)) throw new MemberProofError('the remote changed its nonce')
        return []
      }
      if (equal(body, nonce)) throw new MemberProofError('the remote sent our own nonce back')
      this.#theirs = body
      return role === 'dialler' ? [this.opening, this.#proof('dialler', body)] : [this.opening]
    }
    if (this.#theirs === undefined || this.#done) throw new MemberProofError('the remote sent a proof out of turn')
    const expected = this.#proof(role === 'dialler' ? 'listener' : 'dialler', this.#theirs)
    if (!equal(body, expected.body)) throw new DifferentSecretError()
    this.#done = true
    return role === 'listener' ? [this.#proof('listener', this.#theirs)] : []
  }

  #proof (by: ProofRole, theirs: Uint8Array): ProofFrame {
    const { secret, role, self, remote, nonce } = this.#parts
    const [dialler, listener] = role === 'dialler' ? [self, remote] : [remote, self]
    const [first, second] = role === 'dialler' ? [nonce, theirs] : [theirs, nonce]
    const mac = hmac.create(sha256, secret)
    for (const part of [text(context), text(by), first, second, text(dialler.toString()), text(listener.toString())]) {
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
