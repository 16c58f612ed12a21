/** What was acknowledged while everything was loaded and killed, and what the pinsets must therefore hold. Each CID is pinned once and unpinned at most once. */

export interface Writer { readonly name: string, readonly side: 'go' | 'ours' }

interface Change { readonly writer: Writer, readonly acknowledgedAt: number }

interface Entry {
  pin: Change
  /** `doubtful`: asked for without an answer. */
  unpin: Change | 'doubtful' | undefined
}

export interface Verdict {
  /** Acknowledged by one of ours, or by a Go peer long before any kill, and not there. */
  readonly lost: readonly string[]
  /** Acknowledged by a Go peer just before it was killed, and not there. */
  readonly lostByGo: number
  /** There although nobody asked for it. */
  readonly unknown: readonly string[]
}

/** What a Go peer acknowledged within this many ms before its kill is its own to lose. */
const goWindow = 10_000

export class SoakLedger {
  readonly #entries = new Map<string, Entry>()
  /** Pins without an answer: there or not. */
  readonly #doubtful = new Set<string>()
  readonly #kills = new Map<string, number[]>()

  pinned (cid: string, writer: Writer, at: number): void { this.#entries.set(cid, { pin: { writer, acknowledgedAt: at }, unpin: undefined }) }

  pinDoubtful (cid: string): void { this.#doubtful.add(cid) }

  unpinned (cid: string, writer: Writer, at: number): void { this.#entry(cid).unpin = { writer, acknowledgedAt: at } }

  unpinDoubtful (cid: string): void { this.#entry(cid).unpin = 'doubtful' }

  /** A pin was asked for and not answered. */
  isDoubtful (cid: string): boolean { return this.#doubtful.has(cid) }

  /** The writer was killed without a warning. */
  killed (writer: Writer, at: number): void { this.#kills.set(writer.name, [...this.#kills.get(writer.name) ?? [], at]) }

  /** What one pinset lacks, and what it has too much. */
  judge (pinset: ReadonlySet<string>): Verdict {
    const lost: string[] = []
    const unknown: string[] = []
    let lostByGo = 0
    const miss = (text: string, { writer, acknowledgedAt }: Change): void => {
      if (this.#mayForget(writer, acknowledgedAt)) lostByGo++
      else lost.push(`${text} (acknowledged by ${writer.name} at ${new Date(acknowledgedAt).toISOString()})`)
    }
    for (const [cid, { pin, unpin }] of this.#entries) {
      if (unpin === undefined && !pinset.has(cid)) miss(`pin of ${cid}`, pin)
      else if (unpin !== undefined && unpin !== 'doubtful' && pinset.has(cid)) miss(`unpin of ${cid}`, unpin)
    }
    for (const cid of pinset) if (!this.#entries.has(cid) && !this.#doubtful.has(cid)) unknown.push(cid)
    return { lost, lostByGo, unknown }
  }

  #mayForget ({ name, side }: Writer, at: number): boolean {
    return side === 'go' && (this.#kills.get(name) ?? []).some((kill) => at <= kill && kill - at <= goWindow)
  }

  #entry (cid: string): Entry {
    const entry = this.#entries.get(cid)
    if (entry === undefined) throw new Error(`${cid} was never pinned`)
    return entry
  }
}
