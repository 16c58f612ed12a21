/** What a seed came to, whichever suite ran it. */
export interface Outcome {
  /** What is wrong; empty when all is well. */
  readonly failures: readonly string[]
  /** What was done, in order. */
  readonly trace: readonly string[]
  readonly operations: number
  readonly acknowledged: number
  readonly pins: number
  /** Ms from the end of all faults until everybody agreed. */
  readonly agreedAfter: number
  /** What the seed made of the cluster. */
  readonly text: string
}
