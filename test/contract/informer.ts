import { describe, expect, it } from 'vitest'
import type { Informer } from '../../src/informer/informer.ts'

/** What every informer promises. `open` gives one whose sources answer. */
export function informerContract (name: string, open: () => Informer): void {
  describe(`informer: ${name}`, () => {
    it('has a name and a positive time to live', () => {
      const informer = open()
      expect(informer.name).not.toBe('')
      expect(informer.metricTtl).toBeGreaterThan(0)
    })

    it('gives valid, named metrics, each name once, and the same again', async () => {
      const informer = open()
      const metrics = await informer.metrics()
      expect(metrics.length).toBeGreaterThan(0)
      for (const metric of metrics) {
        expect(metric.valid).toBe(true)
        expect(metric.name).not.toBe('')
        expect(metric.value).not.toBe('')
      }
      expect(new Set(metrics.map((metric) => metric.name)).size).toBe(metrics.length)
      expect(await informer.metrics()).toEqual(metrics)
    })
  })
}
