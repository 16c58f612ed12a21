/** What a figure should reach, judged from the column of ours and the one beside it. */

/** `size` is the number of pins the figure was measured with. */
export type Goal = (ours: number | undefined, other: number | undefined, size: number) => Verdict

export interface Verdict {
  /** As printed; empty where nothing was promised for this size. */
  readonly text: string
  /** Undefined where there is nothing to judge by. */
  readonly met?: boolean | undefined
  /** The further goal in brackets was met too. */
  readonly further?: boolean | undefined
}

const none: Verdict = { text: '' }

/** At least so many times the other; the second number is the further goal. */
export const atLeast = (times: number, further?: number): Goal => (ours, other) => {
  const text = `≥ ${times}×${further === undefined ? '' : ` (${further}×)`}`
  if (ours === undefined || other === undefined) return { text }
  return { text, met: ours / other >= times, further: further === undefined ? undefined : ours / other >= further }
}

/** At most this part of the other. */
export const atMost = (part: number, further?: number): Goal => (ours, other) => {
  const text = `≤ ${part}×${further === undefined ? '' : ` (${further}×)`}`
  if (ours === undefined || other === undefined) return { text }
  return { text, met: ours / other <= part, further: further === undefined ? undefined : ours / other <= further }
}

/** At most this many, whatever the other needs. */
export const within = (limit: number, unit: string): Goal => (ours) => ({ text: `≤ ${limit} ${unit}`, met: ours === undefined ? undefined : ours <= limit })
export const reaching = (limit: number, unit: string): Goal => (ours) => ({ text: `≥ ${limit} ${unit}`, met: ours === undefined ? undefined : ours >= limit })

/** Both. */
export const both = (one: Goal, two: Goal): Goal => (ours, other, size) => {
  const [a, b] = [one(ours, other, size), two(ours, other, size)]
  return { text: [a.text, b.text].filter((text) => text !== '').join(', '), met: a.met === undefined ? b.met : b.met === undefined ? a.met : a.met && b.met, further: a.further }
}

/** For these numbers of pins only. */
export const bySize = (goals: Readonly<Record<number, Goal>>): Goal => (ours, other, size) => goals[size]?.(ours, other, size) ?? none

/** A promise for each column: a newcomer depends on whom it asks. */
export const each = (mine: Goal, theirs: Goal): Goal => (ours, other, size) => {
  const [a, b] = [mine(ours, undefined, size), theirs(other, undefined, size)]
  if (a.text === '' && b.text === '') return none
  const judged = [a.met, b.met].filter((met) => met !== undefined)
  return { text: `${a.text} | ${b.text}`, met: judged.length === 0 ? undefined : judged.every(Boolean) }
}
