/** Numbers, sizes and times as people read them. */

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const
const count = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const dateTime = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

/** `1,234` */
export const formatCount = (value: number | bigint): string => count.format(value)

/** `1.2 MB`: three digits at most, powers of 1000. */
export function formatBytes (bytes: number | bigint): string {
  let value = Number(bytes)
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) { value /= 1000; unit++ }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`
}

/** `12 MB/s` */
export const formatRate = (bytesPerSecond: number): string => `${formatBytes(bytesPerSecond)}/s`

const steps = [[60, 's'], [60, 'min'], [24, 'h'], [30, 'd'], [12, 'mo'], [Infinity, 'y']] as const

/** `3 min`: how long ago a unix time in ms is. */
export function formatAge (time: number | undefined, now = Date.now()): string {
  if (time === undefined || time <= 0) return '–'
  return formatDuration(Math.max(0, now - time))
}

/** `3 min`: a span in ms, in its largest unit. */
export function formatDuration (ms: number): string {
  let value = Math.floor(ms / 1000)
  for (const [size, unit] of steps) {
    if (value < size) return `${value} ${unit}`
    value = Math.floor(value / size)
  }
  return '–'
}

/** `Nov 25, 2026, 6:12 AM` */
export const formatTime = (time: number | undefined): string => time === undefined || time <= 0 ? '–' : dateTime.format(time)

/** Start and end of a long identifier. */
export const shorten = (text: string, head = 8, tail = 6): string => text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`

/** `1 pin`, `2 pins` */
export const plural = (value: number, one: string, many = `${one}s`): string => `${formatCount(value)} ${value === 1 ? one : many}`
