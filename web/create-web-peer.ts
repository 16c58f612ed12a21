/** The ready-made light peer: a join link in, a member of the cluster out, one per browser profile. */
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { PeerId } from '@libp2p/interface'
import { ClusterClient, localTransport } from '../src/api/client.ts'
import type { Transport } from '../src/api/client.ts'
import { errorText, silentLogger } from '../src/component.ts'
import type { AbortOptions, Logger } from '../src/component.ts'
import type { JoinLink } from '../src/join/join-link.ts'
import { checkPage } from './errors.ts'
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
  #role: WebPeerRole = 'electing'
  #channel: TabChannel | undefined
  #election: Election | undefined
  #others: TabClient | undefined
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
    const { secret, ...joined } = profile.link
    this.joined = joined
    this.client = new ClusterClient({ url: base, transport: async (request) => await this.#transport()(request) })
  }

  get role (): WebPeerRole { return this.#role }

  async start (abort?: AbortOptions): Promise<void> {
    if (this.#election !== undefined) return
    const channel = tabChannel(`${this.#store}-tabs`)
    this.#channel = channel
    const election = elect(`${this.#store}-peer`)
    this.#election = election
    if (await election.immediate) {
      await this.#lead(channel, abort)
      return
    }
    this.#others = tabClient(channel)
    this.#become('follower')
    this.#leading = election.elected.then(async () => {
      if (this.#stopping === undefined) await this.#lead(channel)
    }).catch((error: unknown) => { this.#fail(error) })
  }

  async stop (): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async connected ({ signal }: AbortOptions = {}): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => { reject(signal?.reason) }
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    let forget: (() => void) | undefined
    try {
      while (this.#running === undefined) {
        const near = await Promise.race([promise.then(() => true), this.#isMemberNear(signal)])
        if (near) return
        await Promise.race([promise, new Promise((wake) => setTimeout(wake, lookInterval))])
      }
      const { transport } = this.#running
      forget = transport.onConnect(() => { resolve() })
      if (transport.connectedPeers().length > 0) resolve()
      await promise
    } finally {
      forget?.()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async persist (): Promise<boolean> { return await askPersist() }

  add (...[entries, { pin, ...options } = {}]: Parameters<WebPeer['add']>): ReturnType<WebPeer['add']> { return this.client.add(entries, { ...pin, ...options }) }

  addEventListener<K extends keyof WebPeerEvents> (type: K, listener: (event: WebPeerEvents[K]) => void): void { this.#events.addEventListener(type, listener as (event: Event) => void) }
  removeEventListener<K extends keyof WebPeerEvents> (type: K, listener: (event: WebPeerEvents[K]) => void): void { this.#events.removeEventListener(type, listener as (event: Event) => void) }

  async leave (): Promise<void> {
    await this.stop()
    await deleteProfile(this.#store)
  }

  #transport (): Transport {
    if (this.#running !== undefined) return localTransport(this.#running.api)
    if (this.#others !== undefined) return this.#others.transport
    throw new Error(this.#role === 'stopped' ? 'the peer of this tab is stopped' : 'the peer of this tab is not started: call start first')
  }

  /** Another tab's peer has a member near: somebody else answers it. */
  async #isMemberNear (signal: AbortSignal | undefined): Promise<boolean> {
    for await (const { id, error } of this.client.peers({ signal })) if (error === '' && !id.equals(this.peerId)) return true
    return false
  }

  async #lead (channel: TabChannel, abort?: AbortOptions): Promise<void> {
    const { logger = silentLogger } = this.#options
    try {
      this.#running = await runPeer({ ...this.#options, logger, profile: this.#profile, onLost: (error) => { this.#fail(error) } }, abort)
    } catch (error) {
      this.#election?.resign()
      throw error
    }
    // Calls that went to the leader before this one end here; new ones stay in this tab.
    this.#others?.close()
    this.#others = undefined
    this.#stopServing = serveTabs(channel, this.#running.api, crypto.randomUUID())
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
    this.#become('stopped')
    this.#stopServing()
    this.#others?.close()
    this.#others = undefined
    const running = this.#running
    this.#running = undefined
    try {
      await running?.stop()
    } finally {
      // Only now may another tab open the databases.
      this.#election?.resign()
      await this.#leading
      this.#channel?.close()
    }
  }
}
