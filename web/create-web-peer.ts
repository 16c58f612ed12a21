/** The ready-made light peer: a join link in, a member of the cluster out, one per browser profile. */
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { PeerId } from '@libp2p/interface'
import { ClusterClient, localTransport } from '../src/api/client.ts'
import type { ClientRequest, ClientResponse } from '../src/api/client/transport.ts'
import { errorText, silentLogger, systemClock } from '../src/component.ts'
import type { AbortOptions, Logger } from '../src/component.ts'
import type { JoinLink } from '../src/join/join-link.ts'
import { checkPage, LeaderGoneError, LeftError, OtherClusterError } from './errors.ts'
import { deleteProfile, loadProfile } from './profile.ts'
import type { Profile } from './profile.ts'
import { runPeer } from './running-peer.ts'
import type { RunningPeer } from './running-peer.ts'
import { askPersist } from './store/quota.ts'
import { tabChannel } from './tabs/channel.ts'
import type { TabChannel } from './tabs/channel.ts'
import { tabClient } from './tabs/client.ts'
import type { TabClient } from './tabs/client.ts'
import { elect } from './tabs/election.ts'
import type { Election } from './tabs/election.ts'
import { serveTabs } from './tabs/server.ts'
import type { WebPeer, WebPeerEvents, WebPeerOptions, WebPeerRole } from './web-peer.ts'

/** Requests name no host: they never leave the browser. */
const base = 'http://tab.invalid'
/** Between looks for a member while another tab runs the peer, in ms. */
const lookInterval = 250
/** How long another tab may take to end its peer, in ms. */
const leaveTimeout = 10_000

/** Who holds it runs the peer. */
const lockOf = (store: string): string => `${store}-peer`

/**
 * A peer of this browser profile. Throws UnsupportedPageError, NotJoinedError, SecretNeededError or InvalidJoinLinkError.
 *
 * @example
 * const peer = await createWebPeer({ join: location.hash })
 * await peer.start()
 * for await (const pin of peer.client.pins()) console.log(pin.cid, pin.name)
 */
export async function createWebPeer (options: WebPeerOptions = {}): Promise<WebPeer> {
  checkPage()
  const store = options.store ?? 'pinswarm'
  return new TabPeer(options, store, await loadProfile(store, options))
}

class TabPeer implements WebPeer {
  readonly peerId: PeerId
  readonly client: ClusterClient
  readonly joined: Omit<JoinLink, 'secret'>
  readonly #options: WebPeerOptions
  readonly #store: string
  readonly #profile: Profile
  readonly #log: Logger
  readonly #events = new EventTarget()
  readonly #ended = new AbortController()
  #role: WebPeerRole = 'electing'
  #channel: TabChannel | undefined
  #election: Election | undefined
  #others: TabClient | undefined
  #starting: Promise<RunningPeer> | undefined
  #running: RunningPeer | undefined
  #stopServing: () => void = () => {}
  #leading: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor (options: WebPeerOptions, store: string, profile: Profile) {
    this.#options = options
    this.#store = store
    this.#profile = profile
    this.#log = (options.logger ?? silentLogger).forComponent('tab')
    this.peerId = peerIdFromPrivateKey(profile.privateKey)
    const { secret: _secret, ...joined } = profile.link
    this.joined = joined
    this.client = new ClusterClient({ url: base, transport: async (request) => await this.#send(request) })
  }

  get role (): WebPeerRole { return this.#role }

  async start (abort?: AbortOptions): Promise<void> {
    if (this.#election !== undefined) return
    const channel = tabChannel(`${this.#store}-tabs`)
    this.#channel = channel
    const election = elect(lockOf(this.#store))
    this.#election = election
    channel.listen((message) => {
      if (message.kind === 'left') this.#fail(new LeftError())
      else if (message.kind === 'leader' && message.cluster !== this.#profile.databases) this.#fail(new OtherClusterError())
    })
    if (await election.immediate) {
      try {
        await this.#lead(channel, abort)
      } catch (error) {
        await this.stop()
        throw error
      }
      return
    }
    this.#others = tabClient(channel)
    this.#become('follower')
    channel.send({ kind: 'who' })
    this.#leading = election.elected.then(async () => {
      if (this.#stopping === undefined) await this.#lead(channel)
    }).catch((error: unknown) => { this.#fail(error) })
  }

  async stop (): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async connected ({ signal }: AbortOptions = {}): Promise<void> {
    const given = signal === undefined ? this.#ended.signal : AbortSignal.any([signal, this.#ended.signal])
    while (this.#running === undefined) {
      if (this.#others !== undefined && await this.#isMemberNear(given)) return
      await systemClock.sleep(lookInterval, { signal: given })
    }
    given.throwIfAborted()
    const { transport } = this.#running
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => { reject(given.reason as Error) }
    given.addEventListener('abort', onAbort, { once: true })
    const forget = transport.onConnect(() => { resolve() })
    try {
      if (transport.connectedPeers().length === 0) await promise
    } finally {
      forget()
      given.removeEventListener('abort', onAbort)
    }
  }

  async persist (): Promise<boolean> { return await askPersist() }

  add (...[entries, { pin, ...options } = {}]: Parameters<WebPeer['add']>): ReturnType<WebPeer['add']> { return this.client.add(entries, { ...pin, ...options }) }

  addEventListener<K extends keyof WebPeerEvents> (type: K, listener: (event: WebPeerEvents[K]) => void): void { this.#events.addEventListener(type, listener as (event: Event) => void) }
  removeEventListener<K extends keyof WebPeerEvents> (type: K, listener: (event: WebPeerEvents[K]) => void): void { this.#events.removeEventListener(type, listener as (event: Event) => void) }

  async leave (): Promise<void> {
    await this.stop()
    const channel = tabChannel(`${this.#store}-tabs`)
    try {
      channel.send({ kind: 'left' })
      // Every tab has ended its peer once the lock is free. One that hangs loses its databases all the same.
      await navigator.locks.request(lockOf(this.#store), { signal: AbortSignal.timeout(leaveTimeout) }, () => {}).catch(() => {})
      await deleteProfile(this.#store)
    } finally {
      channel.close()
    }
  }

  async #send (request: ClientRequest): Promise<ClientResponse> {
    if (this.#running !== undefined) return await localTransport(this.#running.api)(request)
    if (this.#others === undefined) throw new Error(this.#role === 'stopped' ? 'the peer of this tab is stopped' : 'the peer of this tab is not started: call start first')
    try {
      return await this.#others.transport(request)
    } catch (error) {
      // This tab took over before anybody answered.
      if (error instanceof LeaderGoneError && request.method === 'GET' && this.#running !== undefined) return await this.#send(request)
      throw error
    }
  }

  /** Another tab's peer has a member near: somebody else answers it. */
  async #isMemberNear (signal: AbortSignal): Promise<boolean> {
    try {
      for await (const { id, error } of this.client.peers({ signal })) if (error === '' && !id.equals(this.peerId)) return true
    } catch (error) {
      signal.throwIfAborted()
      this.#log.debug('the other tab does not tell who is near: %s', errorText(error))
    }
    return false
  }

  async #lead (channel: TabChannel, { signal }: AbortOptions = {}): Promise<void> {
    const { logger = silentLogger } = this.#options
    const ended = this.#ended.signal
    this.#starting = runPeer(
      { ...this.#options, name: this.#profile.name, logger, profile: this.#profile, onLost: (error) => { this.#fail(error) } },
      { signal: signal === undefined ? ended : AbortSignal.any([signal, ended]) }
    )
    const running = await this.#starting
    ended.throwIfAborted()
    this.#running = running
    // Calls that went to the leader before this one end here; new ones stay in this tab.
    this.#others?.close()
    this.#others = undefined
    this.#stopServing = serveTabs(channel, running.api, { leader: crypto.randomUUID(), cluster: this.#profile.databases })
    this.#become('leader')
  }

  #become (role: WebPeerRole): void {
    if (role === this.#role) return
    this.#role = role
    this.#events.dispatchEvent(new CustomEvent('role:changed', { detail: role }))
  }

  /** What the peer stands on is gone: it ends, and says so. */
  #fail (error: unknown): void {
    if (this.#stopping !== undefined) return
    this.#log.error('the peer of this tab ended: %s', errorText(error))
    this.#stopping = this.#stop().catch((reason: unknown) => { this.#log.warn('it did not stop cleanly: %s', errorText(reason)) })
    this.#events.dispatchEvent(new CustomEvent('peer:failed', { detail: error instanceof Error ? error : new Error(errorText(error)) }))
  }

  async #stop (): Promise<void> {
    this.#ended.abort(new Error('the peer of this tab is stopped'))
    this.#become('stopped')
    this.#stopServing()
    this.#others?.close()
    this.#others = undefined
    this.#running = undefined
    try {
      // One that is about to start is waited for.
      const running = await this.#starting?.catch(() => undefined)
      await running?.stop()
    } finally {
      // Only now may another tab open the databases.
      this.#election?.resign()
      await this.#leading
      this.#channel?.close()
    }
  }
}
