/** Lets only members through: each connection has gone through the protector, or has proven the secret, before it becomes one for libp2p. */
import type { Libp2pParts } from './libp2p-node.ts'
import type { SecretWatch } from './secret-watch.ts'
import type { ConnectionGater, ConnectionProtector, MultiaddrConnection, PeerId, Upgrader } from '@libp2p/interface'
import { ChannelConnection } from './channel-connection.ts'
import { messageSize } from './data-channel.ts'
import type { PeerConnection } from './data-channel.ts'
import { DifferentSecretError, MemberProofError } from './errors.ts'
import type { ProofRole } from './member-proof.ts'
import { openProven } from './proof-channel.ts'
import { connectionProtector } from './protector.ts'

export interface MembershipOptions {
  /** 32 bytes that every member knows; none in an open swarm, where everybody is one. */
  readonly secret: Uint8Array | undefined
  readonly self: PeerId
  readonly watch: Pick<SecretWatch, 'report'>
  /** For the whole proof, in ms. @default 4000 */
  readonly proofTimeout?: number | undefined
}

type TransportFactory = Libp2pParts['transports'][number]

/** What keeps strangers out, on every transport and in both directions. */
export class Membership {
  readonly #options: MembershipOptions
  /** Connections that went through the protector or the proof. */
  readonly #guarded = new WeakSet<object>()

  constructor (options: MembershipOptions) { this.#options = options }

  /** For the node's options: the protector, and a gater that refuses what got past it by a way not known here. */
  get guards (): { readonly connectionProtector?: () => ConnectionProtector, readonly connectionGater: Pick<ConnectionGater, 'denyInboundEncryptedConnection' | 'denyOutboundEncryptedConnection'> } {
    const { secret, watch } = this.#options
    if (secret === undefined) return { connectionGater: {} }
    const protector = connectionProtector({ secret, onDifferentSecret: (remote, direction) => { watch.report(remote, direction) } })
    const isStranger = (_: PeerId, connection: MultiaddrConnection): boolean => !this.#guarded.has(connection)
    return {
      connectionProtector: () => {
        const inner = protector()
        return {
          protect: async (connection, options) => {
            const outer = await inner.protect(connection, options)
            this.#guarded.add(connection)
            return outer
          }
        }
      },
      connectionGater: { denyInboundEncryptedConnection: isStranger, denyOutboundEncryptedConnection: isStranger }
    }
  }

  /** The same transport; connections that it wants upgraded past the protector (WebRTC) prove the secret first, and are multiplexed as all others are. */
  guard (create: TransportFactory): TransportFactory {
    return (components) => {
      // The node's components answer for what is not replaced.
      const transport = create(Object.create(components, { upgrader: { value: this.#upgrader(components.upgrader) } }) as typeof components)
      const dial = transport.dial.bind(transport)
      const createListener = transport.createListener.bind(transport)
      transport.dial = async (address, options) => await dial(address, { ...options, upgrader: this.#upgrader(options.upgrader) })
      transport.createListener = (options) => createListener({ ...options, upgrader: this.#upgrader(options.upgrader) })
      return transport
    }
  }

  #upgrader (inner: Upgrader): Upgrader {
    const upgrade = {
      upgradeInbound: async (connection: MultiaddrConnection, options: UpgradeOptions): Promise<void> => {
        if (options.skipProtection !== true) await inner.upgradeInbound(connection, options)
        else await inner.upgradeInbound(await this.#admit(connection, 'listener', options), admitted(options))
      },
      upgradeOutbound: async (connection: MultiaddrConnection, options: UpgradeOptions) => {
        if (options.skipProtection !== true) return await inner.upgradeOutbound(connection, options)
        return await inner.upgradeOutbound(await this.#admit(connection, 'dialler', options), admitted(options))
      }
    }
    return Object.assign(Object.create(inner) as Upgrader, upgrade, { createInboundAbortSignal: inner.createInboundAbortSignal.bind(inner) })
  }

  async #admit (connection: MultiaddrConnection, role: ProofRole, { remotePeer, signal }: UpgradeOptions): Promise<MultiaddrConnection> {
    const { secret, self, watch, proofTimeout = 4000 } = this.#options
    try {
      const channels = peerConnectionOf(connection)
      if (remotePeer === undefined || channels === undefined) throw new MemberProofError('this transport has no way to prove membership')
      const proven = await openProven(channels, { secret, role, self, remote: remotePeer, signal: AbortSignal.any([signal, AbortSignal.timeout(proofTimeout)]) },
        (channel) => new ChannelConnection(connection, channel, messageSize(channels)))
      this.#guarded.add(proven)
      return proven
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      if (reason instanceof DifferentSecretError) watch.report(connection.remoteAddr, role === 'dialler' ? 'outbound' : 'inbound')
      connection.abort(reason)
      throw reason
    }
  }
}

type UpgradeOptions = Parameters<Upgrader['upgradeOutbound']>[1] & { readonly remotePeer?: PeerId | undefined }

/** Its own multiplexer is not used. */
function admitted (options: UpgradeOptions): UpgradeOptions {
  const { muxerFactory, ...others } = options
  return muxerFactory === undefined ? options : others
}

/** @libp2p/webrtc keeps it to itself, by its types only. A release that hides it makes every proof fail, and none pass. */
const peerConnectionOf = (connection: object): PeerConnection | undefined => (connection as { readonly peerConnection?: PeerConnection }).peerConnection
