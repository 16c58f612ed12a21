/** Times inside JSON: RFC 3339; Go's zero time and null mean unset. */
import { formatGoTime, isZeroTime, parseGoTime } from '../../pin/go-time.ts'
import { asText } from './json.ts'
import type { Json } from './json.ts'

export { formatGoTime as formatTime }

/** Unix ms; undefined when unset. */
export function timeOf (value: Json | undefined, at: string): number | undefined {
  if (value == null) return undefined
  const ms = parseGoTime(asText(value, at), at)
  return isZeroTime(ms) ? undefined : ms
}
