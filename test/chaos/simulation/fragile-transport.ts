/** A place in the network as one life of its peer has it: still while the peer is paused, silent once it is dead. */
import type { AbortOptions } from '../../../src/component.ts'
import type { AddressBook, ByteStream, KnownPeer, PubSub, StreamHandlerOptions, Transport } from '../../../src/transport/transport.ts'
import type { Life } from './life.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { peerOf } from '../../../src/transport/addresses.ts'

export class FragileTransport implements Transport, AddressBook {
  readonly pubsub: PubSub
  readonly #inner: Transport
  readonly #life: Life
  readonly #known = new Map<string, KnownPeer>()
  readonly #undo = new Set<() => void>()
  readonly #protocols = new Set<string>()

  constructor (inner: Transport, life: Life) {
    this.#inner = inner
    this.#life = life
    this.pubsub = {
      publish: async (topic, data) => { await life.pass(); await inner.pubsub.publish(topic, data) },
      subscribe: (topic, handler, validate) => this.#undoing(inner.pubsub.subscribe(topic, (message) => { this.#later(() => { handler(message) }) }, (message) => !life.isDead && validate?.(message) !== false))
    }
  }

  get peerId (): PeerId { return this.#inner.peerId }

  async start (): Promise<void> { await this.#inner.start() }

  async stop (): Promise<void> { if (!this.#life.isDead) await this.#inner.stop() }

  /** The process is gone, and with it its connections and all that listened. */
  async die (): Promise<void> {
    await this.#inner.stop()
    for (const undo of this.#undo) undo()
    for (const protocol of this.#protocols) await this.#inner.unhandle(protocol)
  }

  addresses (): readonly Multiaddr[] { return this.#inner.addresses() }
  async addressesOf (peers: readonly PeerId[]): Promise<readonly Multiaddr[]> { return await this.#inner.addressesOf(peers) }
  connectedPeers (): readonly PeerId[] { return this.#life.isDead ? [] : this.#inner.connectedPeers() }
  protect (peer: PeerId): void { this.#inner.protect(peer) }
  penalize (peer: PeerId, offence: string, points: number): void { this.#inner.penalize(peer, offence, points) }
  bandwidth (): ReturnType<Transport['bandwidth']> { return this.#inner.bandwidth() }

  async connect (target: PeerId | Multiaddr, options?: AbortOptions): Promise<PeerId> {
    await this.#life.pass()
    return await this.#inner.connect(target, options)
  }

  async openStream (peer: PeerId, protocol: string, options?: AbortOptions): Promise<ByteStream> {
    await this.#life.pass()
    return await this.#inner.openStream(peer, protocol, options)
  }

  onConnect (listener: (peer: PeerId) => void): () => void { return this.#undoing(this.#inner.onConnect((peer) => { this.#later(() => { listener(peer) }) })) }
  onDisconnect (listener: (peer: PeerId) => void): () => void { return this.#undoing(this.#inner.onDisconnect((peer) => { this.#later(() => { listener(peer) }) })) }

  async handle (protocol: string, handler: (stream: ByteStream) => void, options?: StreamHandlerOptions): Promise<void> {
    this.#protocols.add(protocol)
    await this.#inner.handle(protocol, (stream) => { this.#later(() => { handler(stream) }) }, options)
  }

  async unhandle (protocol: string): Promise<void> { if (!this.#life.isDead) await this.#inner.unhandle(protocol) }

  async remember (addresses: readonly Multiaddr[]): Promise<void> {
    for (const address of addresses) {
      const peer = peerOf(address)
      if (peer !== undefined) this.#known.set(peer.toString(), { peer, addresses: [address] })
    }
  }

  async known (): Promise<readonly KnownPeer[]> { return [...this.#known.values()] }

  /** Now, or after the pause, in order; never when dead. */
  #later (deliver: () => void): void {
    if (this.#life.isPaused) this.#life.pass().then(deliver, () => {})
    else if (!this.#life.isDead) deliver()
  }

  #undoing (undo: () => void): () => void {
    this.#undo.add(undo)
    return () => {
      this.#undo.delete(undo)
      undo()
    }
  }
}
