/** What a seed makes of the cluster: its size, its settings and the weather it begins with. */
import type { CrdtConsensusOptions } from '../../../src/consensus/crdt/crdt-consensus.ts'
import { seededRandom } from '../../../src/transport/random.ts'

/** Draws of one seed. */
export class Dice {
  readonly number: () => number

  constructor (seed: number) { this.number = seededRandom(seed) }

  /** From 0 to `limit`, exclusive. */
  below (limit: number): number { return Math.floor(this.number() * limit) }
  between (least: number, most: number): number { return least + this.below(most - least + 1) }
  chance (share: number): boolean { return this.number() < share }

  of<T> (choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)]
    if (choice === undefined) throw new Error('nothing to choose from')
    return choice
  }

  /** One of the names, as often as its weight says. */
  weighted<T extends string> (...choices: ReadonlyArray<readonly [name: T, weight: number]>): T {
    let left = this.number() * choices.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of choices) {
      left -= weight
      if (left < 0) return name
    }
    throw new Error('nothing to choose from')
  }
}

/** What the network does at the moment; changed while it runs. */
export interface Weather {
  latency: readonly [number, number]
  loss: number
  duplicate: number
  chunkSize: readonly [number, number]
}

export const calm = (): Weather => ({ latency: [0, 0], loss: 0, duplicate: 0, chunkSize: [65_536, 65_536] })

export const drawWeather = (dice: Dice): Weather => ({
  latency: dice.of([[0, 0], [1, 20], [5, 400], [50, 3_000]] as const),
  loss: dice.of([0, 0, 0.1, 0.5, 1]),
  duplicate: dice.of([0, 0.3]),
  chunkSize: dice.of([[65_536, 65_536], [1, 50], [100, 5_000]] as const)
})

export interface Scenario {
  readonly members: number
  readonly steps: number
  /** CIDs that everybody fights over. */
  readonly cids: number
  readonly crdtOf: (number: number) => CrdtConsensusOptions
  readonly text: string
}

export function drawScenario (dice: Dice): Scenario {
  const members = dice.between(3, 5)
  const sync = dice.chance(0.6)
  const batching = Array.from({ length: members }, () => dice.chance(0.2) ? { maxBatchSize: dice.of([2, 10, 1000]), maxBatchAge: dice.of([500, 5_000]) } : undefined)
  const narrow = dice.chance(0.3)
  const steps = dice.between(30, 80)
  const cids = dice.of([1, 3, 8, 20])
  return {
    members, steps, cids,
    crdtOf: (number) => ({ sync, batching: batching[number - 1], ...narrow ? { fetching: { parallelFetches: 3, maxWaitingBlocks: 5 }, bulk: { groupBlocks: 7 } } : {} }),
    text: `${members} peers, ${steps} steps, ${cids} CIDs${sync ? ', fsync' : ''}${batching.some((one) => one !== undefined) ? ', batching' : ''}${narrow ? ', narrow' : ''}`
  }
}
