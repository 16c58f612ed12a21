/** Who is in the cluster: names, and which of them are tabs. Known to every view, asked for once. */
import type { Session } from './session.ts'

export interface Member {
  readonly id: string
  readonly name: string
  readonly isTab: boolean
  readonly error: string
}

export class Members {
  self = ''
  readonly #session: Session
  readonly #listeners = new Set<() => void>()
  #byId: ReadonlyMap<string, Member> = new Map()
  #asking: Promise<void> | undefined
  #isStale = false

  constructor (session: Session) {
    this.#session = session
    session.live.subscribe(['peer:connected', 'peer:disconnected', 'events:dropped'], () => { this.refresh() })
  }

  get all (): readonly Member[] { return [...this.#byId.values()] }
  /** Members that are no tabs. */
  get fullCount (): number { return this.all.filter(({ isTab }) => !isTab).length }
  get (id: string): Member | undefined { return this.#byId.get(id) }
  isTab (id: string): boolean { return this.#byId.get(id)?.isTab === true }
  nameOf (id: string): string { return this.#byId.get(id)?.name ?? '' }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Resolves once the members were asked for. */
  async known (): Promise<void> {
    if (this.#byId.size > 0) return
    this.refresh()
    await this.#asking
  }

  /** Asks again; calls that come while one is under way become one more. */
  readonly refresh = (): void => {
    if (this.#asking !== undefined) { this.#isStale = true; return }
    this.#isStale = false
    this.#asking = this.#ask().catch(() => {}).finally(() => {
      this.#asking = undefined
      if (this.#isStale) this.refresh()
    })
  }

  async #ask (): Promise<void> {
    const { client } = this.#session
    const [self] = await Promise.all([client.id(), this.#list()])
    this.self = self.id.toString()
    for (const listener of this.#listeners) listener()
  }

  async #list (): Promise<void> {
    const found = new Map<string, Member>()
    for await (const { id, peerName, light, error } of this.#session.client.peers()) {
      // A peer that does not answer tells nothing about itself: what it said before stands.
      const before = this.#byId.get(id.toString())
      found.set(id.toString(), { id: id.toString(), name: peerName === '' ? before?.name ?? '' : peerName, isTab: error === '' ? light === true : before?.isTab ?? false, error })
    }
    this.#byId = found
  }
}

const known = new WeakMap<Session, Members>()

/** The members of a session's cluster. */
export function membersOf (session: Session): Members {
  const members = known.get(session) ?? new Members(session)
  known.set(session, members)
  return members
}
