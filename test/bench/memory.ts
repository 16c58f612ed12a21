/** Resident memory of processes over time, and what the bench did meanwhile. */
import { residentMemory } from './proc.ts'

export interface Sample { readonly at: number, readonly megabytes: number }
export interface Phase { readonly name: string, readonly from: number, to: number }

/** What happened to one server and those who came with it; times in seconds from its beginning. */
export interface Track {
  readonly title: string
  readonly lines: Map<string, Sample[]>
  readonly phases: Phase[]
}

interface Watched { readonly track: Track, readonly label: string, readonly pid: () => number }

/** Takes a sample of every watched process each second. */
export class MemoryLog {
  readonly tracks: Track[] = []
  readonly #watched = new Set<Watched>()
  #begun = 0
  #timer: NodeJS.Timeout | undefined

  /** Everything from here on belongs to this track. */
  begin (title: string): void {
    this.#endPhase()
    this.#begun = performance.now()
    this.tracks.push({ title, lines: new Map(), phases: [] })
    this.#timer ??= setInterval(() => { this.#sample() }, 1000)
  }

  /** Until the next phase, or the end of the track. */
  phase (name: string): void {
    this.#endPhase()
    const now = this.#now()
    this.tracks.at(-1)?.phases.push({ name, from: now, to: now })
  }

  /** Watches a process until the returned function is called. */
  watch (label: string, pid: () => number): () => void {
    const track = this.tracks.at(-1)
    if (track === undefined) return () => {}
    const watched = { track, label, pid }
    this.#watched.add(watched)
    return () => { this.#watched.delete(watched) }
  }

  stop (): void {
    this.#endPhase()
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #now (): number { return (performance.now() - this.#begun) / 1000 }

  #endPhase (): void {
    const last = this.tracks.at(-1)?.phases.at(-1)
    if (last !== undefined) last.to = this.#now()
  }

  #sample (): void {
    for (const { track, label, pid } of this.#watched) {
      const line = track.lines.get(label) ?? []
      track.lines.set(label, line)
      // A gap in the line where there was no process.
      line.push({ at: this.#now(), megabytes: residentMemory(pid()) ?? Number.NaN })
    }
  }
}
