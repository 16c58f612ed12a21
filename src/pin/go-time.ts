/** Times as Go prints and reads them in JSON: RFC 3339; its zero time means unset. Values are unix ms. */
import { InvalidValueError } from '../errors.ts'

/** Go's zero time, 0001-01-01T00:00:00Z, in unix ms. */
export const zeroTime = -62_135_596_800_000
/** Last ms of year 9999. */
export const maxTime = 253_402_300_799_999

/** Whether a time is unset: undefined or Go's zero time. */
export const isZeroTime = (ms: number | undefined): boolean => ms === undefined || ms === zeroTime

/** RFC 3339 in UTC, without trailing zeros of the fraction; unset is `0001-01-01T00:00:00Z`. */
export function formatGoTime (ms: number | undefined): string {
  const text = new Date(Math.max(zeroTime, Math.min(maxTime, ms ?? zeroTime))).toISOString()
  if (text.endsWith('.000Z')) return text.slice(0, -5) + 'Z'
  return text.replace(/0+Z$/, 'Z')
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,18}))?([Zz]|[+-]\d\d:\d\d)$/

/** Unix ms of an RFC 3339 time in any zone; digits beyond ms are dropped. Throws InvalidValueError for `field`. */
export function parseGoTime (text: string, field = 'time'): number {
  const invalid = (): InvalidValueError => new InvalidValueError(field, `${JSON.stringify(text.slice(0, 64))} is not an RFC 3339 time`)
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = rfc3339.exec(text) ?? []
  if (zone === '' || Number(hour) > 23) throw invalid()
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}${zone.toUpperCase()}`)
  if (Number.isNaN(ms) || Number(day) > daysIn(Number(year), Number(month)) || ms > maxTime) throw invalid()
  return Math.max(ms, zeroTime)
}

const daysIn = (year: number, month: number): number => month === 2 ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
