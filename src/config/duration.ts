/** Go's duration syntax: "1h30m", "500ms", "0s". In ms; fractions of a ms are kept. */

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, 'μs': 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const maxMs = 2 ** 63 / 1e6
/** Drops the noise of floating point below a nanosecond; long durations are whole ms anyway. */
const toNanosecond = (ms: number): number => ms < 1e9 ? Math.round(ms * 1e6) / 1e6 : ms

/** Throws when the text is not a Go duration. */
export function parseDuration (text: string): number {
  const refused = (): Error => new Error(`${JSON.stringify(text.slice(0, 64))} is not a duration such as "1m30s"`)
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  if (body === '' || body.length > 64 || !/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) throw refused()
  let total = 0
  for (const [, number, unit] of body.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) total += toNanosecond(Number(number) * (unitMs[unit ?? ''] ?? Number.NaN))
  if (!(total < maxMs)) throw refused()
  return text.startsWith('-') ? -total : total
}

/** As Go's Duration.String writes it: `2m0s`, `1.5s`, `500ms`, `0s`. */
export function formatDuration (ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`
  const ns = Math.round(ms * 1e6)
  if (ns === 0) return '0s'
  if (ns < 1e3) return `${ns}ns`
  if (ns < 1e6) return `${ns / 1e3}µs`
  if (ns < 1e9) return `${ns / 1e6}ms`
  const minutes = Math.floor(ms / 60_000)
  const seconds = `${Math.round((ms - minutes * 60_000) * 1e6) / 1e9}s`
  return minutes === 0 ? seconds : minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`
}
