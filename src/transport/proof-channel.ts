/** Opens the one data channel of a connection between members, and has both sides prove the secret over it first. */
import type { PeerId } from '@libp2p/interface'
import { systemClock } from '../component.ts'
import { MemberProofError } from './errors.ts'
import { decodeProofFrame, encodeProofFrame, MemberProof } from './member-proof.ts'
import type { DataChannel, PeerConnection } from './data-channel.ts'
import type { ProofFrame, ProofParts, ProofRole } from './member-proof.ts'

export interface ProveOptions {
  /** None in an open swarm, where nothing is to be proven. */
  readonly secret: Uint8Array | undefined
  readonly role: ProofRole
  readonly self: PeerId
  readonly remote: PeerId
  readonly signal: AbortSignal
}

/** Agreed on by both sides, so that nothing has to be opened first; beyond what streams reach. */
const channelId = 1000
const repeatInterval = 50
/** What all members of an open swarm know. */
const openSwarm = new Uint8Array(32)
/** How long a refusal may take to get out, in ms. */
const farewellTime = 200

/** Resolves to what `adopt` makes of the channel, which it gets the moment that both sides have proven the secret to each other: no later byte is missed. */
export async function openProven<T> (connection: PeerConnection, { signal, secret = openSwarm, ...given }: ProveOptions, adopt: (channel: DataChannel) => T): Promise<T> {
  const [local, remote] = fingerprints(connection)
  const channel = given.role === 'dialler' ? { dialler: local, listener: remote } : { dialler: remote, listener: local }
  const parts = { ...given, secret, channel, nonce: crypto.getRandomValues(new Uint8Array(32)) }
  while (true) {
    const adopted = await new Exchange(connection.createDataChannel('', { negotiated: true, id: channelId }), parts, adopt).run(signal)
    if (adopted !== closed) return adopted
    // The remote had not opened its end yet: browsers drop what comes before that, libdatachannel closes the channel.
    await systemClock.sleep(repeatInterval, { signal }).catch(() => { throw unproven(signal) })
  }
}

const closed = Symbol('closed')

/** The proof over one channel. */
class Exchange<T> {
  readonly #channel: DataChannel
  readonly #proof: MemberProof
  readonly #role: ProofRole
  readonly #adopt: (channel: DataChannel) => T
  readonly #end = Promise.withResolvers<T | typeof closed>()

  constructor (channel: DataChannel, parts: ProofParts, adopt: (channel: DataChannel) => T) {
    this.#channel = channel
    this.#proof = new MemberProof(parts)
    this.#role = parts.role
    this.#adopt = adopt
    channel.binaryType = 'arraybuffer'
  }

  /** Resolves to `closed` where the channel closed under it. */
  async run (signal: AbortSignal): Promise<T | typeof closed> {
    const repeat = setInterval(() => { this.#open() }, repeatInterval)
    const onAbort = (): void => { this.#end.reject(unproven(signal)) }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#channel.onopen = () => { this.#open() }
    this.#channel.onclose = () => { this.#end.resolve(closed) }
    this.#channel.onmessage = ({ data }) => { this.#receive(data) }
    try {
      if (signal.aborted) onAbort()
      this.#open()
      return await this.#end.promise
    } catch (error) {
      this.#channel.onopen = this.#channel.onclose = this.#channel.onmessage = null
      if (!signal.aborted) await farewell(this.#channel)
      throw error
    } finally {
      clearInterval(repeat)
      signal.removeEventListener('abort', onAbort)
    }
  }

  #open (): void { if (this.#role === 'dialler' && !this.#proof.answered) this.#send(this.#proof.opening) }

  #send (frame: ProofFrame): void {
    try { if (this.#channel.readyState === 'open') this.#channel.send(encodeProofFrame(frame)) } catch { this.#end.resolve(closed) }
  }

  #receive (data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer)) throw new MemberProofError('the remote does not speak the membership proof')
      for (const frame of this.#proof.receive(decodeProofFrame(new Uint8Array(data)))) this.#send(frame)
      if (!this.#proof.done) return
      this.#channel.onopen = this.#channel.onclose = this.#channel.onmessage = null
      this.#end.resolve(this.#adopt(this.#channel))
    } catch (error) {
      this.#end.reject(error)
    }
  }
}

const unproven = (signal: AbortSignal): MemberProofError => new MemberProofError('the remote did not prove that it is a member', { cause: signal.reason })

/** Tells the remote why, and lets that get out before the connection is torn down. */
async function farewell (channel: DataChannel): Promise<void> {
  if (channel.readyState !== 'open') return
  try {
    channel.send(encodeProofFrame({ kind: 'refusal' }))
    await systemClock.sleep(farewellTime)
  } catch {
    // It is gone already.
  }
}

/** Of our certificate and the remote's, as the DTLS handshake has them. */
function fingerprints (connection: PeerConnection): readonly [string, string] {
  const local = fingerprintOf(connection.localDescription?.sdp)
  const remote = connection.remoteFingerprint?.().value.toUpperCase() ?? fingerprintOf(connection.remoteDescription?.sdp)
  if (local === undefined || remote === undefined || remote === '') throw new MemberProofError('the connection does not tell its certificates')
  return [local, remote]
}

const fingerprintOf = (sdp: string | undefined): string | undefined => /^a=fingerprint:\S+ ([0-9A-F:]+)\s*$/im.exec(sdp ?? '')?.[1]?.toUpperCase()
