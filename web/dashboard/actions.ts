/** What the dashboard does to pins, with the way back. */
import type { PinRequest } from '../../src/api/client.ts'
import { errorText } from '../../src/component.ts'
import type { Pin } from '../../src/pin/pin.ts'
import type { Session } from './session.ts'
import { confirm } from './ui/dialog.tsx'
import { plural, shorten } from './ui/format.ts'
import { toast } from './ui/toast.tsx'

const atOnce = 8

/** The request that makes this pin again, as it was. */
export const requestOf = (pin: Pin): PinRequest => ({
  name: pin.name, mode: pin.mode, replicationFactorMin: pin.replicationFactorMin, replicationFactorMax: pin.replicationFactorMax,
  userAllocations: pin.allocations, expireAt: pin.expireAt, metadata: pin.metadata, origins: pin.origins
})

/** What people call a pin: its name, else the ends of its CID. */
export const titleOf = ({ cid, name }: { readonly cid: { readonly toString: () => string }, readonly name: string }): string => name === '' ? shorten(cid.toString()) : `“${name}”`

interface Outcome<T> {
  readonly done: readonly T[]
  readonly failures: readonly unknown[]
}

/** A few calls at a time; failures are collected. */
async function forAll<A, T> (items: readonly A[], call: (item: A) => Promise<T>): Promise<Outcome<T>> {
  const done: T[] = []
  const failures: unknown[] = []
  const rest = items.values()
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      try { done.push(await call(item)) } catch (error) { failures.push(error) }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return { done, failures }
}

function tellFailures (what: string, { failures }: Outcome<unknown>): void {
  if (failures.length > 0) toast({ tone: 'error', text: failures.length === 1 ? `${what}: ${errorText(failures[0])}` : `${what} ${plural(failures.length, 'pin')}. The first: ${errorText(failures[0])}` })
}

const repin = async (session: Session, pins: readonly Pin[]): Promise<void> => {
  const outcome = await forAll(pins, async (pin) => await session.client.pin(pin.cid, requestOf(pin)))
  tellFailures('Could not pin again', outcome)
  if (outcome.done.length > 0) toast({ text: pins[0] !== undefined && pins.length === 1 ? `Pinned ${titleOf(pins[0])} again` : `Pinned ${plural(outcome.done.length, 'pin')} again` })
}

/** Unpins; the note that says so takes it back. Several are asked about first. True when something was unpinned. */
export async function unpin (session: Session, cids: readonly string[]): Promise<boolean> {
  const many = cids.length > 1
  if (many && !await confirm({ title: `Unpin ${plural(cids.length, 'pin')}?`, text: 'The peers let go of their content, and a garbage collection may delete it.', action: 'Unpin', danger: true })) return false
  const outcome = await forAll(cids, async (cid) => await session.client.unpin(cid))
  const { done } = outcome
  tellFailures('Could not unpin', outcome)
  if (done[0] === undefined) return false
  toast({ text: many ? `Unpinned ${plural(done.length, 'pin')}` : `Unpinned ${titleOf(done[0])}`, undo: async () => { await repin(session, done) } })
  return true
}

/** Asks the peers to try again. Many are asked about first: it makes all of them work. */
export async function recover (session: Session, cids: readonly string[]): Promise<void> {
  const many = cids.length > 1
  if (many && !await confirm({ title: `Recover ${plural(cids.length, 'pin')}?`, text: 'Every peer tries again where a pin failed or is missing.', action: 'Recover' })) return
  const outcome = await forAll(cids, async (cid) => await session.client.recover(cid))
  tellFailures('Could not recover', outcome)
  if (outcome.done.length > 0) toast({ text: many ? `Recovering ${plural(outcome.done.length, 'pin')}` : 'Peers are trying again' })
}
