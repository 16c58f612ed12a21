/** WebRTC among members: transports that libp2p upgrades past the protector, made to prove membership first. */
import type { MultiaddrConnection, PeerId, Transport, Upgrader } from '@libp2p/interface'
import { DifferentSecretError, MemberProofError } from './errors.ts'
import { decodeProofFrame, encodeProofFrame, MemberProof } from './member-proof.ts'

/** What is used of an RTCDataChannel. */
interface DataChannel {
  binaryType: string
  readonly readyState: string
  onopen: (() => void) | null
  onclose: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  send: (data: Uint8Array<ArrayBuffer>) => void
}
interface PeerConnection { createDataChannel: (label: string, options: { readonly negotiated: true, readonly id: number }) => DataChannel }

export interface MemberWebRtcOptions {
  readonly secret: Uint8Array
  /** For the whole proof, in ms. @default 5000 */
  readonly timeout?: number | undefined
  /** Told who was refused. */
  readonly onRefused?: ((remote: PeerId, reason: Error) => void) | undefined
}

/** Agreed on by both sides, so that nothing has to be opened first; beyond what streams reach. */
const channelId = 1000
const repeatInterval = 50

/** A factory whose transport yields only connections to members. Everything is left alone that goes through a protector anyway. */
export function membersOnly<Components extends { readonly upgrader: Upgrader, readonly peerId: PeerId }> (factory: (components: Components) => Transport, options: MemberWebRtcOptions): (components: Components) => Transport {
  return (components) => {
    const guarded = (upgrader: Upgrader): Upgrader => guardUpgrader(upgrader, components.peerId, options)
    const transport = factory(replacing<Components>(components, { upgrader: guarded(components.upgrader) } as Partial<Components>))
    return replacing(transport, {
      dial: async (address, dialOptions) => await transport.dial(address, { ...dialOptions, upgrader: guarded(dialOptions.upgrader) }),
      createListener: (listenOptions) => transport.createListener({ ...listenOptions, upgrader: guarded(listenOptions.upgrader) })
    })
  }
}

/** The same object with some of its properties replaced; methods keep their `this`. */
function replacing<T extends object> (target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get: (original, key) => {
      if (Object.hasOwn(replaced, key)) return replaced[key as keyof T]
      const value = Reflect.get(original, key, original) as unknown
      return typeof value === 'function' ? value.bind(original) as unknown : value
    }
  })
}

interface UpgradeOptions { readonly skipProtection?: boolean | undefined, readonly remotePeer?: PeerId | undefined, readonly muxerFactory?: object | undefined, readonly signal?: AbortSignal | undefined }

function guardUpgrader (upgrader: Upgrader, self: PeerId, options: MemberWebRtcOptions): Upgrader {
  const admit = async (connection: MultiaddrConnection, role: 'dialler' | 'listener', upgrade: UpgradeOptions = {}): Promise<void> => {
    if (upgrade.skipProtection !== true) return
    const { remotePeer, muxerFactory, signal } = upgrade
    try {
      const channels = muxerFactory === undefined ? undefined : (muxerFactory as { readonly peerConnection?: PeerConnection }).peerConnection
      if (remotePeer === undefined || channels === undefined) throw new MemberProofError('this transport has no way to prove membership')
      await prove(channels, { secret: options.secret, role, self, remote: remotePeer, nonce: crypto.getRandomValues(new Uint8Array(32)) }, deadline(options.timeout ?? 5000, signal))
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      if (remotePeer !== undefined) options.onRefused?.(remotePeer, reason)
      connection.abort(reason)
      throw reason
    }
  }
  return replacing(upgrader, {
    upgradeInbound: async (connection, upgrade) => {
      await admit(connection, 'listener', upgrade)
      await upgrader.upgradeInbound(connection, upgrade)
    },
    upgradeOutbound: async (connection, upgrade) => {
      await admit(connection, 'dialler', upgrade)
      return await upgrader.upgradeOutbound(connection, upgrade)
    }
  })
}

function deadline (timeout: number, signal: AbortSignal | undefined): AbortSignal {
  const limit = AbortSignal.timeout(timeout)
  return signal === undefined ? limit : AbortSignal.any([signal, limit])
}

/** Resolves when both sides have proven the secret to each other. */
async function prove (connection: PeerConnection, parts: ConstructorParameters<typeof MemberProof>[0], signal: AbortSignal): Promise<void> {
  const proof = new MemberProof(parts)
  const channel = connection.createDataChannel('', { negotiated: true, id: channelId })
  channel.binaryType = 'arraybuffer'
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const open = (): void => { if (channel.readyState === 'open') channel.send(encodeProofFrame(proof.opening)) }
  const repeat = setInterval(() => { if (!proof.answered) open() }, repeatInterval)
  const onAbort = (): void => { reject(new MemberProofError('the remote did not prove that it is a member', { cause: signal.reason })) }
  signal.addEventListener('abort', onAbort, { once: true })
  channel.onopen = open
  channel.onclose = () => { reject(new MemberProofError('the remote left before it had proven that it is a member')) }
  channel.onmessage = ({ data }) => {
    try {
      if (!(data instanceof ArrayBuffer)) throw new MemberProofError('the remote does not speak the membership proof')
      for (const frame of proof.receive(decodeProofFrame(new Uint8Array(data)))) channel.send(encodeProofFrame(frame))
      if (proof.done) resolve()
    } catch (error) {
      reject(error)
    }
  }
  open()
  try {
    await promise
  } finally {
    clearInterval(repeat)
    signal.removeEventListener('abort', onAbort)
    // The channel ends with its connection; a repeated nonce may still arrive.
    channel.onopen = channel.onclose = channel.onmessage = null
  }
}

/** Whether a dial failed because the remote is not of this cluster. */
export const isRefusal = (error: unknown): boolean => error instanceof DifferentSecretError || error instanceof MemberProofError
