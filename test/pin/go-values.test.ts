import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../src/pin/go-duration.ts'
import { formatGoTime, isZeroTime, maxTime, parseGoTime, zeroTime } from '../../src/pin/go-time.ts'

describe('Go time', () => {
  it('prints', () => {
    expect([1_700_000_000_000, 1_700_000_000_120, 0, undefined, zeroTime, -1].map(formatGoTime)).toEqual([
      '2023-11-14T22:13:20Z', '2023-11-14T22:13:20.12Z', '1970-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '1969-12-31T23:59:59.999Z'])
  })

  it('reads zones and nanoseconds', () => {
    expect(parseGoTime('2023-11-14T22:13:20.123456789Z')).toBe(1_700_000_000_123)
    expect(parseGoTime('2023-11-15T00:13:20+02:00')).toBe(1_700_000_000_000)
    expect(parseGoTime('2024-02-29T00:00:00Z')).toBe(Date.UTC(2024, 1, 29))
    expect(isZeroTime(parseGoTime('0001-01-01T00:00:00Z'))).toBe(true)
  })

  it('refuses what is not RFC 3339', () => {
    for (const text of ['', 'now', '2023-11-14', '2023-11-14T22:13:20', '2023-11-14 22:13:20Z', '2023-13-14T22:13:20Z', '2023-02-29T22:13:20Z', '2023-11-14T24:00:00Z', '2023-11-14T22:60:20Z']) {
      expect(() => parseGoTime(text, 'expire_at'), text).toThrow(expect.objectContaining({ name: 'InvalidValueError', field: 'expire_at' }))
    }
  })

  it('reads again what it prints', () => {
    fc.assert(fc.property(fc.integer({ min: zeroTime, max: maxTime }), (ms) => { expect(parseGoTime(formatGoTime(ms))).toBe(ms) }))
  })
})

describe('Go duration', () => {
  const pairs: ReadonlyArray<readonly [string, number]> = [['0s', 0], ['1ns', 1e-6], ['1.5µs', 0.0015], ['250ms', 250], ['1.5ms', 1.5], ['1s', 1000], ['1.5s', 1500], ['1m0s', 60_000], ['1h0m0s', 3_600_000], ['1h30m0.5s', 5_400_500], ['-2m3s', -123_000], ['720h0m0s', 2_592_000_000]]
  for (const [text, ms] of pairs) {
    it(`prints and reads ${text}`, () => {
      expect(formatDuration(ms)).toBe(text)
      expect(parseDuration(text)).toBeCloseTo(ms, 6)
    })
  }

  it('reads every form Go reads', () => {
    expect(['0', '+5s', '.5h', '1.h', '10us', '10μs', '1h1h', '-0'].map(parseDuration)).toEqual([0, 5000, 1_800_000, 3_600_000, 0.01, 0.01, 7_200_000, 0])
  })

  it('refuses the rest with the text of Go', () => {
    const texts: ReadonlyArray<readonly [string, string]> = [['', 'time: invalid duration ""'], ['abc', 'time: invalid duration "abc"'], ['5', 'time: missing unit in duration "5"'], ['5d', 'time: unknown unit "d" in duration "5d"'], ['1s-', 'time: unknown unit "s-" in duration "1s-"'], ['9999999h', 'time: invalid duration "9999999h"'], ['--1s', 'time: invalid duration "--1s"'], ['.s', 'time: invalid duration ".s"']]
    for (const [text, message] of texts) expect(() => parseDuration(text), text).toThrow(message)
  })

  it('reads again what it prints', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => { expect(Math.abs(parseDuration(formatDuration(ms)) - ms)).toBeLessThan(1e-3) }))
  })
})
