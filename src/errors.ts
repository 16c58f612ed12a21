/** Named errors that cross rooms. Check by `name`. Texts are part of the REST and RPC contract (rest-api.md §4.1). */

/** A CID that is not in the pinset; the REST API maps this text to 404. */
export class PinNotFoundError extends Error {
  override name = 'PinNotFoundError'
  constructor (options?: ErrorOptions) { super('pin is not part of the pinset', options) }
}

/** A value from outside that does not parse; `field` names the key or parameter at fault. */
export class InvalidValueError extends Error {
  override name = 'InvalidValueError'
  readonly field: string
  constructor (field: string, reason: string, options?: ErrorOptions) {
    super(`${field}: ${reason}`, options)
    this.field = field
  }
}

/** Bytes from the network or a file that break their format or a bound. */
export class DecodeError extends Error {
  override name = 'DecodeError'
}

/** A request the cluster's rules refuse (types, factors, expiry…). */
export class PinRefusedError extends Error {
  override name = 'PinRefusedError'
}

export class FollowerModeError extends Error {
  override name = 'FollowerModeError'
  constructor () { super('this peer is configured to be in follower mode. Write operations are disabled') }
}

export class InsufficientAllocationsError extends Error {
  override name = 'InsufficientAllocationsError'
  readonly needed: number
  readonly wanted: number
  readonly available: number
  constructor (needed: number, wanted: number, available: number) {
    super(`not enough peers to allocate CID. Needed at least: ${needed}. Wanted at most: ${wanted}. Available candidates: ${available}. See logs for more info.`)
    this.needed = needed
    this.wanted = wanted
    this.available = available
  }
}

/** The remote peer answered an RPC with an error. `kind`: wire.md §5.1 ErrType. */
export class RpcError extends Error {
  override name = 'RpcError'
  readonly kind: 'application' | 'server' | 'client' | 'authorization'
  constructor (message: string, kind: 'application' | 'server' | 'client' | 'authorization', options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** A configuration value that stops the start; `key` is its dotted path. */
export class InvalidConfigError extends Error {
  override name = 'InvalidConfigError'
  readonly key: string
  constructor (key: string, reason: string, options?: ErrorOptions) {
    super(`${key}: ${reason}`, options)
    this.key = key
  }
}
