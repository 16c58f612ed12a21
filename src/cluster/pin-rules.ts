/** Which pins the cluster accepts (behaviour.md §2). Texts are those of Go. */
import { PinRefusedError } from '../errors.ts'
import { isEverywhere } from '../pin/pin.ts'
import type { Pin } from '../pin/pin.ts'

/** The cluster's replication factors, for pins that name none. */
export interface ReplicationDefaults { readonly replicationFactorMin: number, readonly replicationFactorMax: number }

/** The pin with factors filled in and checked against itself and the pin it replaces. Throws PinRefusedError. */
export function preparePin (requested: Pin, existing: Pin | undefined, defaults: ReplicationDefaults, now: number): Pin {
  const factored: Pin = {
    ...requested,
    replicationFactorMin: requested.replicationFactorMin === 0 ? defaults.replicationFactorMin : requested.replicationFactorMin,
    replicationFactorMax: requested.replicationFactorMax === 0 ? defaults.replicationFactorMax : requested.replicationFactorMax
  }
  const pin = isEverywhere(factored) ? { ...factored, allocations: [] } : factored
  checkFactors(pin)
  if (pin.expireAt !== undefined && pin.expireAt < now) throw new PinRefusedError('pin.ExpireAt set before current time')
  if (existing !== undefined) {
    checkReplacement(pin, existing)
    checkType(pin)
  }
  return pin
}

function checkFactors ({ replicationFactorMin: min, replicationFactorMax: max }: Pin): void {
  const reason =
    min === 0 || max === 0 ? 'cluster.replication_factor_min and max must be set'
      : min > max ? 'cluster.replication_factor_min is larger than cluster.replication_factor_max'
        : min < -1 ? 'cluster.replication_factor_min is wrong'
          : max < -1 ? 'cluster.replication_factor_max is wrong'
            : (min === -1) !== (max === -1) ? 'cluster.replication_factor_min and max must be -1 when one of them is'
                : undefined
  if (reason !== undefined) throw new PinRefusedError(reason)
}

function checkReplacement (pin: Pin, existing: Pin): void {
  if (existing.type !== pin.type) throw new PinRefusedError(`cannot repin CID with different tracking method, clear state with pin rm to proceed. New: ${pin.type}. Was: ${existing.type}`)
  if (existing.mode === 'recursive' && pin.mode !== 'recursive') throw new PinRefusedError(`cannot repin a CID which is already pinned in recursive mode (new pin is pinned as ${pin.mode}). Unpin it first.`)
}

function checkType (pin: Pin): void {
  const refuse = (reason: string): never => { throw new PinRefusedError(reason) }
  switch (pin.type) {
    case 'pin':
      if (pin.reference !== undefined) refuse('data pins should not reference other pins')
      break
    case 'shard-pin':
      if (pin.maxDepth !== 1) refuse('must pin shards go depth 1')
      break
    case 'clusterdag-pin':
      if (pin.maxDepth !== 0) refuse('must pin roots directly')
      if (pin.reference === undefined) refuse('clusterDAG pins should reference a Meta pin')
      break
    case 'meta-pin':
      if (pin.allocations.length !== 0) refuse('meta pin should not specify allocations')
      if (pin.reference === undefined) refuse('metaPins should reference a ClusterDAG')
      break
    case 'bad-type':
      refuse('unrecognized pin type')
  }
}
