/** What listings need beside the set: the line of each pin and its index entries. Derived from values alone, so it can be rebuilt. */
import type { Listed } from './record.ts'
import type { Pin } from '../../pin/pin.ts'
import { keyToCid } from '../../pin/keys.ts'
import { encodePinLine } from '../../pin/pin-json.ts'
import { decodePin } from '../../pin/pin-proto.ts'
import { pinTypes } from '../../pin/pin.ts'

/** Raise it when lines or index entries change: the view is then rebuilt at the next start. */
export const viewVersion = 1

/** Characters of an encoded name in its index key; longer ones share an entry and are compared on read. */
const maxNameLength = 256

/** The pin that a value in the set describes; undefined when it is none (wire.md §3.4: skipped in listings). */
export function pinOf (key: string, value: Uint8Array): Pin | undefined {
  try {
    return decodePin(value, { cid: keyToCid(key) })
  } catch {
    return undefined
  }
}

export const listedOf = (pin: Pin): Listed => ({ type: pin.type, line: encodePinLine(pin, { fromState: true }) })

/** Twelve digits hold every expiry that a line can print. */
const expiryText = (seconds: number): string => String(seconds).padStart(12, '0')

/** Range of the index of expiries before `now` (unix ms). */
export const expiredRange = (indexes: string, now: number): { readonly gte: string, readonly lt: string } => ({ gte: `${indexes}e/`, lt: `${indexes}e/${expiryText(Math.max(0, Math.ceil(now / 1000)))}` })

/** Prefix of the index of a pin type; plain pins are in none. */
export const typePrefix = (indexes: string, type: number): string => `${indexes}t/${type}/`

/** Prefix of the index of names equal to `name`, or equal to it in their first characters. */
export const namePrefix = (indexes: string, name: string): string => `${indexes}n/${encodeURIComponent(name.toWellFormed()).slice(0, maxNameLength)}/`

/** Index entries of a pin. Each ends with its key, which begins with the last slash. */
export function indexEntries (indexes: string, key: string, pin: Pin): readonly string[] {
  const entries: string[] = []
  if (pin.expireAt !== undefined) entries.push(`${indexes}e/${expiryText(Math.floor(pin.expireAt / 1000))}${key}`)
  if (pin.type !== 'pin') entries.push(typePrefix(indexes, pinTypes.indexOf(pin.type)) + key.slice(1))
  if (pin.name !== '') entries.push(namePrefix(indexes, pin.name) + key.slice(1))
  return entries
}

/** The key at the end of an index entry. */
export const keyOfEntry = (entry: string): string => entry.slice(entry.lastIndexOf('/'))
