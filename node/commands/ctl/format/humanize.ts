/** Sizes and times as people say them. */

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const

/** Bytes in SI units: `238 B`, `4.2 kB`, `10 GB`. */
export function humanBytes (bytes: bigint | number): string {
  const value = Number(bytes)
  if (value < 10) return `${value} B`
  const power = Math.min(units.length - 1, Math.floor(Math.log10(value) / 3 + 1e-12))
  const scaled = Math.floor(value / 1000 ** power * 10 + 0.5) / 10
  return `${scaled < 10 ? scaled.toFixed(1) : scaled.toFixed(0)} ${units[power]}`
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const week = 7 * day
const month = 30 * day
const year = 12 * month

/** Below this, so many of that; without a divisor the text stands alone. */
const magnitudes: ReadonlyArray<readonly [below: number, text: string, divisor?: number]> = [
  [2 * second, '1 second'], [minute, 'seconds', second], [2 * minute, '1 minute'], [hour, 'minutes', minute], [2 * hour, '1 hour'], [day, 'hours', hour],
  [2 * day, '1 day'], [week, 'days', day], [2 * week, '1 week'], [month, 'weeks', week], [2 * month, '1 month'], [year, 'months', month],
  [18 * month, '1 year'], [2 * year, '2 years'], [37 * year, 'years', year]
]

/** `5 seconds ago`, `16 seconds from now`; both in unix ms. */
export function humanTime (time: number, now: number): string {
  const distance = Math.abs(now - time)
  if (distance < second) return 'now'
  const [, text, divisor] = magnitudes.find(([below]) => distance < below) ?? [0, 'a long while']
  return `${divisor === undefined ? text : `${Math.floor(distance / divisor)} ${text}`} ${time > now ? 'from now' : 'ago'}`
}
