/**
 * Keeps every operation that was asked of a cluster, and judges what the cluster shows against what it acknowledged.
 * Each CID is a register. What an operation had surely been merged after is known from the outside: what its peer had acknowledged
 * or shown before. From that follow the rules, which hold for every add-wins set with priorities (wire.md §3.5):
 *  - a pin never beats one that came after it, unless the later one may have been unpinned;
 *  - a pin that its peer had when it acknowledged an unpin is gone for good;
 *  - an acknowledged pin is there, or a later one is, unless an unpin may have met it.
 */

/** A pin writes `value`; an unpin has none. */
export interface Operation {
  readonly id: number
  readonly peer: string
  readonly cid: string
  readonly value: string | undefined
  /** `open`: no answer yet; `acknowledged`: the peer promised it; `doubtful`: it may or may not come true; `refused`: it did nothing. */
  state: 'open' | 'acknowledged' | 'doubtful' | 'refused'
  /** Operations surely merged at the peer when this one was asked for. */
  readonly seen: ReadonlySet<number>
  /** The same and everything those came after, as a bit set. */
  readonly past: bigint
  readonly begun: number
  ended: number | undefined
}

interface Knowledge { readonly id: number, mark: number }

export class Ledger {
  readonly operations: Operation[] = []
  readonly #byValue = new Map<string, Operation>()
  readonly #byCid = new Map<string, Operation[]>()
  /** What each peer surely has merged. `mark`: how far its store was then. */
  readonly #known = new Map<string, Knowledge[]>()
  #time = 0

  /** Values are unique: the reader of one knows whose it is. */
  begin (peer: string, cid: string, value: string | undefined): Operation {
    const seen = new Set(this.#knowledge(peer).map(({ id }) => id))
    let past = 0n
    for (const id of seen) past |= this.#at(id).past | bit(id)
    const operation: Operation = { id: this.operations.length, peer, cid, value, state: 'open', seen, past, begun: this.#time++, ended: undefined }
    this.operations.push(operation)
    if (value !== undefined) {
      if (this.#byValue.has(value)) throw new Error(`the value ${value} is used twice`)
      this.#byValue.set(value, operation)
    }
    this.#byCid.set(cid, [...this.#of(cid), operation])
    return operation
  }

  acknowledge (operation: Operation, mark = 0): void {
    this.#end(operation, 'acknowledged')
    this.#knowledge(operation.peer).push({ id: operation.id, mark })
  }

  /** It failed, or its peer did: it may still come true. */
  doubt (operation: Operation): void { this.#end(operation, 'doubtful') }

  /** The peer said no before it changed anything: an unpin of what is not there. */
  refuse (operation: Operation): void { this.#end(operation, 'refused') }

  /** The peer has lost what its store did after this mark: what it acknowledged since is in doubt, and it no longer knows of it. */
  lose (peer: string, mark: number): void {
    const known = this.#knowledge(peer)
    this.#known.set(peer, known.filter((one) => one.mark <= mark))
    for (const { id } of known.filter((one) => one.mark > mark)) {
      const operation = this.#at(id)
      if (operation.peer === peer) operation.state = 'doubtful'
    }
  }

  /** A read of the CID at the peer begins. What it shows then goes into the function returned, which says what is wrong with it. */
  look (peer: string, cid: string): (value: string | undefined, mark?: number) => string | undefined {
    // What still waits in the peer's memory need not be shown yet.
    const before = new Set(this.#knowledge(peer).filter(({ mark }) => mark < Infinity).map(({ id }) => id))
    return (value, mark = 0) => {
      const shown = value === undefined ? undefined : this.#byValue.get(value)
      const known = shown === undefined ? undefined : this.#knowledge(peer).find(({ id }) => id === shown.id)
      if (known !== undefined) known.mark = Math.min(known.mark, mark)
      else if (shown !== undefined) this.#knowledge(peer).push({ id: shown.id, mark })
      return this.judge(cid, value, ({ id }) => before.has(id))
    }
  }

  /** What is wrong with this value, where it is known that the operations for which `merged` holds have been merged. */
  judge (cid: string, value: string | undefined, merged: (operation: Operation) => boolean = ({ state }) => state === 'acknowledged'): string | undefined {
    const all = this.#of(cid)
    if (value === undefined) {
      const lost = all.find((operation) => operation.value !== undefined && merged(operation) && !this.#mayBeUnpinned(operation))
      return lost === undefined ? undefined : `${describe(lost)} is missing`
    }
    const shown = this.#byValue.get(value)
    if (shown === undefined || shown.cid !== cid) return `the value ${value} of ${cid} was never asked for`
    const unpin = all.find((operation) => operation.value === undefined && operation.state === 'acknowledged' && merged(operation) && operation.seen.has(shown.id))
    if (unpin !== undefined) return `${describe(shown)} is there although unpinned by ${describe(unpin)}`
    const newer = all.find((operation) => operation.value !== undefined && merged(operation) && (operation.past & bit(shown.id)) !== 0n && !this.#mayBeUnpinned(operation))
    return newer === undefined ? undefined : `${describe(shown)} is shown in place of the later ${describe(newer)}`
  }

  /** Judges a whole pinset: value by CID. */
  judgeAll (pinset: ReadonlyMap<string, string>): readonly string[] {
    const cids = new Set([...this.#byCid.keys(), ...pinset.keys()])
    return [...cids].flatMap((cid) => this.judge(cid, pinset.get(cid)) ?? [])
  }

  /** An unpin of the CID may have met it: it was not over before the pin was asked for. */
  #mayBeUnpinned (pin: Operation): boolean {
    return this.#of(pin.cid).some((operation) => operation.value === undefined && operation.state !== 'refused' && !isOver(operation, pin.begun))
  }

  #end (operation: Operation, state: 'acknowledged' | 'doubtful' | 'refused'): void {
    operation.state = state
    operation.ended = this.#time++
  }

  #of (cid: string): readonly Operation[] { return this.#byCid.get(cid) ?? [] }

  #at (id: number): Operation {
    const operation = this.operations[id]
    if (operation === undefined) throw new Error(`no operation ${id}`)
    return operation
  }

  #knowledge (peer: string): Knowledge[] {
    const known = this.#known.get(peer) ?? []
    this.#known.set(peer, known)
    return known
  }
}

const isOver = ({ state, ended }: Operation, time: number): boolean => state === 'acknowledged' && ended !== undefined && ended < time

const bit = (id: number): bigint => 1n << BigInt(id)

const describe = ({ id, peer, cid, value, state }: Operation): string => `${value === undefined ? 'unpin' : `pin ${value}`} of ${cid} (operation ${id} of ${peer}, ${state})`
