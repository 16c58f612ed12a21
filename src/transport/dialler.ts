/** Finds a way to a member: a direct one where there is any, by WebRTC where only a relay knows it, and through the relay for good as the last. */
import type { Connections } from './connections.ts'
import type { SecretWatch } from './secret-watch.ts'
import type { AbortOptions, Clock, Logger } from '../component.ts'
import type { Connection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { errorText } from '../component.ts'
import { isRelayed, isWebRtc, peerOf, withPeer } from './addresses.ts'
import { DialError, DifferentSecretError, NotStartedError } from './errors.ts'

/** One in eight first attempts of WebRTC comes to nothing, however long it is waited for; the next one succeeds. In ms. */
const webRtcAttempts = [4_000, 5_000, 8_000] as const
/** The remote of a relayed connection looks for a better one by itself; we do after this time, and again after the longer one. In ms. */
const firstLook = 5_000
const laterLook = 120_000
/** Relays through which somebody is looked for whose addresses are not known. */
const maxRelays = 4
const hop = '/libp2p/circuit/relay/0.2.0/hop'

export interface DiallerParts {
  readonly node: Libp2p
  readonly connections: Connections
  readonly watch: SecretWatch
  readonly clock: Clock
  readonly log: Logger
}

const reasons = (error: unknown): string => error instanceof AggregateError ? error.errors.map(errorText).join('; ') : errorText(error)

export class Dialler {
  readonly #parts: DiallerParts
  readonly #timeout: number
  readonly #stop = new AbortController()
  /** Peers that are being reached. */
  readonly #reaching = new Map<string, Promise<Connection>>()
  /** Relayed connections that a better one is looked for. */
  readonly #improving = new Set<Promise<void>>()

  constructor (parts: DiallerParts, timeout: number) {
    this.#parts = parts
    this.#timeout = timeout
    parts.node.addEventListener('connection:open', ({ detail }) => {
      if (detail.limits === undefined) return
      const improving = this.#improve(detail).catch(() => {}).finally(() => { this.#improving.delete(improving) })
      this.#improving.add(improving)
    })
  }

  async stop (): Promise<void> {
    this.#stop.abort(new NotStartedError())
    await Promise.all(this.#improving)
  }

  async dial (target: PeerId | Multiaddr, { signal }: AbortOptions = {}): Promise<Connection> {
    const { node, connections, watch } = this.#parts
    signal?.throwIfAborted()
    if (node.status !== 'started') throw new NotStartedError()
    const isPeer = 'toMultihash' in target
    const known = isPeer ? target : peerOf(target)
    const existing = known === undefined ? undefined : connections.to(known)
    if (existing !== undefined) return existing
    if (!isPeer && watch.isPaused(target)) throw new DifferentSecretError()
    try {
      if (isPeer) return await raced(this.#reachOnce(target), signal)
      // A relayed connection must not pass for the one that is asked for.
      return await node.dial(target, { force: known !== undefined && node.getConnections(known).length > 0, signal: signal ?? AbortSignal.timeout(this.#timeout) })
    } catch (error) {
      signal?.throwIfAborted()
      if (!isPeer && watch.isPaused(target)) throw new DifferentSecretError({ cause: error })
      throw new DialError(`could not dial ${target.toString()}: ${reasons(error)}`, { cause: error })
    }
  }

  async addressBook (peer: PeerId): Promise<readonly Multiaddr[]> {
    const { peerStore } = this.#parts.node
    if (!await peerStore.has(peer)) return []
    const { addresses } = await peerStore.get(peer)
    return addresses.map(({ multiaddr }) => withPeer(multiaddr, peer))
  }

  async #reachOnce (peer: PeerId): Promise<Connection> {
    const name = peer.toString()
    const reaching = this.#reaching.get(name) ?? this.#reach(peer).finally(() => { this.#reaching.delete(name) })
    this.#reaching.set(name, reaching)
    return await reaching
  }

  async #reach (peer: PeerId): Promise<Connection> {
    const { node, connections } = this.#parts
    const failures: unknown[] = []
    const relayed = (): Connection | undefined => node.getConnections(peer).find(({ limits, status }) => limits !== undefined && status === 'open')
    const attempt = async (addresses: readonly Multiaddr[], time: number): Promise<Connection | undefined> => {
      if (addresses.length === 0) return undefined
      try {
        return await node.dial([...addresses], { force: relayed() !== undefined, signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(time)]) })
      } catch (error) {
        failures.push(error)
        return undefined
      }
    }
    const addresses = await this.#ways(peer)
    const direct = await attempt(addresses.filter((address) => !isRelayed(address)), this.#timeout)
    if (direct !== undefined) return direct
    const webRtc = addresses.filter(isWebRtc)
    for (const time of webRtcAttempts) {
      const connection = await attempt(webRtc, time)
      if (connection?.limits === undefined && connection !== undefined) return connection
      const found = connections.to(peer)
      if (found !== undefined && found.limits === undefined) return found
      // No relay knows the peer: trying again helps nobody.
      if (relayed() === undefined || this.#stop.signal.aborted) break
    }
    const last = relayed() ?? await attempt(addresses.filter((address) => isRelayed(address) && !isWebRtc(address)), this.#timeout)
    if (last === undefined) throw failures.length === 0 ? new Error('no address is known') : new AggregateError(failures)
    if (last.limits !== undefined) connections.settleFor(last)
    return last
  }

  /** What the address book says, and the relays that we are connected to: a tab is known to its relay only. */
  async #ways (peer: PeerId): Promise<readonly Multiaddr[]> {
    const { node, connections } = this.#parts
    const known = await this.addressBook(peer)
    const relays = await Promise.all(connections.peers().filter((other) => !other.equals(peer)).map(async (relay) => {
      const connection = connections.to(relay)
      if (connection === undefined || isRelayed(connection.remoteAddr)) return []
      const protocols = await node.peerStore.get(relay).then((entry): readonly string[] => entry.protocols, (): readonly string[] => [])
      return protocols.includes(hop) ? [withPeer(connection.remoteAddr, relay)] : []
    }))
    const through = relays.flat().slice(0, maxRelays).flatMap((relay) => ['/p2p-circuit/webrtc', '/p2p-circuit'].map((way) => relay.encapsulate(`${way}/p2p/${peer.toString()}`)))
    return [...new Map([...known, ...through].map((address) => [address.toString(), address])).values()]
  }

  /** Looks for a direct way for as long as there is only the relayed one. */
  async #improve (connection: Connection): Promise<void> {
    const { clock, connections, log } = this.#parts
    const { remotePeer } = connection
    let wait = firstLook
    while (true) {
      await clock.sleep(wait, { signal: this.#stop.signal })
      const best = connections.to(remotePeer)
      if (connection.status !== 'open' || (best !== undefined && best.limits === undefined)) return
      await this.#reachOnce(remotePeer).catch((error: unknown) => { log.debug('no direct way to %s: %s', remotePeer, errorText(error)) })
      wait = laterLook
    }
  }
}

/** The work goes on for others who wait for it. */
async function raced<T> (work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => { reject(signal.reason as Error) }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
