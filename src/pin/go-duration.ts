/** Durations as Go prints and reads them (`1h30m`, `500ms`). Values are ms; fractions are parts of a ms. */
import { InvalidValueError } from '../errors.ts'

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, 'μs': 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
/** What int64 nanoseconds can hold. */
const maxMs = 9_223_372_036_854.775
const part = /(\d+\.?\d*|\.\d+)([^\d.]*)/gy

/** Ms of a Go duration. Throws InvalidValueError with Go's text. */
export function parseDuration (text: string): number {
  const quoted = JSON.stringify(text.slice(0, 64))
  const invalid = (): InvalidValueError => new InvalidValueError('time', `invalid duration ${quoted}`)
  const negative = text.startsWith('-')
  const body = negative || text.startsWith('+') ? text.slice(1) : text
  if (body === '0') return 0
  if (body === '' || body.length > 128) throw invalid()
  let total = 0
  let read = 0
  for (const [whole, amount = '', unit = ''] of body.matchAll(part)) {
    if (unit === '') throw new InvalidValueError('time', `missing unit in duration ${quoted}`)
    const factor = Object.hasOwn(unitMs, unit) ? unitMs[unit] : undefined
    if (factor === undefined) throw new InvalidValueError('time', `unknown unit ${JSON.stringify(unit)} in duration ${quoted}`)
    total += Number(amount) * factor
    read += whole.length
  }
  if (read !== body.length || total > maxMs) throw invalid()
  return negative ? -total : total
}

/** A number of seconds, minutes… with its fraction, without trailing zeros. */
const trimmed = (value: number, digits: number): string => digits === 0 ? String(value) : value.toFixed(digits).replace(/\.?0+$/, '')

/** Go's text of a duration: `1h0m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration (ms: number): string {
  const nanoseconds = Math.round(Math.min(Math.abs(ms), maxMs) * 1e6)
  if (nanoseconds === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${sign}${trimmed(nanoseconds / 1e3, 3)}µs`
  if (nanoseconds < 1e9) return `${sign}${trimmed(nanoseconds / 1e6, 6)}ms`
  const seconds = nanoseconds / 1e9
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const rest = `${trimmed(seconds - hours * 3600 - minutes * 60, 9)}s`
  if (hours > 0) return `${sign}${hours}h${minutes}m${rest}`
  return minutes > 0 ? `${sign}${minutes}m${rest}` : `${sign}${rest}`
}
