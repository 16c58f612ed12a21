import type { DeltaBlock } from '../../src/crdt/block.ts'
import { describe, expect, it } from 'vitest'
import { unknownKey } from '../../src/crdt/set.ts'
import { seededRandom } from '../../src/transport/random.ts'
import { GoRules } from './go-rules.ts'
import { Model, hex } from './model.ts'
import { below, honestHistory, keyOf, pick, shuffled, valueOf, wildHistory } from './random-dag.ts'

const seeds = Array.from({ length: 40 }, (_, index) => index + 1)

/** Values with their priorities, as GoRules prints them. */
function fullState (model: Model): Record<string, string> {
  const entries = [...model.keys].flatMap(([key, { winner }]) => winner === undefined ? [] : [[key, `${winner.priority} ${hex(winner.value)}`] as const])
  return Object.fromEntries(entries.sort(([one], [other]) => one < other ? -1 : 1))
}

/** The same blocks in groups of random size. */
function mergeInGroups (random: () => number, model: Model, blocks: readonly DeltaBlock[]): void {
  for (let at = 0; at < blocks.length;) {
    const size = 1 + below(random, 6)
    model.merge(blocks.slice(at, at + size))
    at += size
  }
}

describe('the merge rules', () => {
  it('are those of the Go peers, step by step, also for blocks nobody honest writes', () => {
    for (const seed of seeds) {
      const random = seededRandom(seed)
      const go = new GoRules()
      const model = new Model()
      for (const [step, block] of shuffled(random, wildHistory(random)).entries()) {
        go.merge(block)
        model.merge([block])
        expect(fullState(model), `seed ${seed}, step ${step}`).toEqual(go.state())
      }
    }
  })

  it('come to one state in any order, in any groups, with repetitions', () => {
    for (const seed of seeds) {
      const random = seededRandom(seed)
      const blocks = honestHistory(random)
      const expected = new Model()
      for (const block of blocks) expected.merge([block])
      const go = new GoRules()
      for (const block of shuffled(random, blocks)) go.merge(block)
      expect(fullState(expected), `seed ${seed}`).toEqual(go.state())
      for (let replica = 0; replica < 4; replica++) {
        const model = new Model()
        mergeInGroups(random, model, shuffled(random, [...blocks, ...blocks.filter(() => random() < 0.3)]))
        expect(fullState(model), `seed ${seed}`).toEqual(fullState(expected))
        expect(model.headCids(), `seed ${seed}`).toEqual(expected.headCids())
        for (const { early } of model.keys.values()) expect(early.size, `seed ${seed}`).toBe(0)
      }
    }
  })

  it('come to one state when heads are heard in any order, some of them late', () => {
    for (const seed of seeds) {
      const random = seededRandom(seed)
      const blocks = honestHistory(random, { authors: 4, steps: 60, keys: 4 })
      const all = new Map(blocks.map((block) => [block.id, block]))
      const states = Array.from({ length: 4 }, () => {
        const model = new Model()
        const heard = shuffled(random, blocks).filter(() => random() > 0.4)
        for (const { cid } of heard) model.receive(cid, all, pick(random, ['parents first', 'top down']))
        // The repair: sooner or later every last head is announced again.
        const links = new Set(blocks.flatMap((block) => block.links.map(String)))
        for (const { cid } of shuffled(random, blocks)) if (!links.has(cid.toString())) model.receive(cid, all)
        return [fullState(model), model.headCids()]
      })
      for (const state of states) expect(state, `seed ${seed}`).toEqual(states[0])
    }
  })
})

describe('a replica that writes', () => {
  it('names every live element when it deletes, and writes nothing for what is not there', () => {
    const [one, other] = [new Model(), new Model()]
    const first = one.commit([[keyOf(1), valueOf(1, 'one')]])
    const second = other.commit([[keyOf(1), valueOf(1, 'other')]])
    if (first === undefined || second === undefined) throw new Error('nothing written')
    one.merge([second])
    const removed = one.commit([[keyOf(1)]])
    expect(removed?.delta.tombstones.map(({ id }) => id).sort()).toEqual([first.id, second.id].sort())
    expect([removed?.delta.priority, removed?.links.length, one.state()]).toEqual([2, 2, {}])
    expect(one.commit([[keyOf(1)]])).toBeUndefined()
    expect(one.commit([[keyOf(2)]])).toBeUndefined()
  })

  it('lets the last change of a key in one commit count', () => {
    const model = new Model()
    model.commit([[keyOf(1), valueOf(1, 'old')]])
    expect(model.commit([[keyOf(2), valueOf(2, 'never')], [keyOf(2)]])).toBeUndefined()
    const block = model.commit([[keyOf(1), valueOf(1, 'a')], [keyOf(1)], [keyOf(1), valueOf(1, 'b')], [keyOf(1), valueOf(1, 'c')]])
    expect([block?.delta.elements.length, block?.delta.tombstones.length]).toEqual([1, 1])
    expect(model.state()).toEqual({ [keyOf(1)]: hex(valueOf(1, 'c')) })
  })

  it('refuses to merge tombstones without every element of the key', async () => {
    const { mergeKey } = await import('../../src/crdt/set.ts')
    expect(() => mergeKey({ ...unknownKey, unread: 1 }, { id: '/A', priority: 1, tombstones: ['/B'], values: [] }, () => true)).toThrow(RangeError)
  })
})
