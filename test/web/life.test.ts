/** What a page tells of its life: events of the browser, as it dispatches them. */
import { watchLife } from '../../web/life.ts'
import { expect, it, onTestFinished, vi } from 'vitest'

function setHidden (isHidden: boolean): void {
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => isHidden ? 'hidden' : 'visible' })
  document.dispatchEvent(new Event('visibilitychange'))
}

it('wakes up when the page is seen again, resumed, shown or online, and not when it is hidden', async () => {
  const woken = vi.fn<() => void>()
  const hidden = vi.fn<(isHidden: boolean) => void>()
  const life = watchLife({ woken, hidden })
  onTestFinished(async () => {
    await life.stop()
    Reflect.deleteProperty(document, 'visibilityState')
  })
  await life.start()
  expect(hidden.mock.calls).toEqual([[false]])
  setHidden(true)
  expect(hidden).toHaveBeenLastCalledWith(true)
  expect(woken).not.toHaveBeenCalled()
  setHidden(false)
  expect(hidden).toHaveBeenLastCalledWith(false)
  expect(woken).toHaveBeenCalledTimes(1)
  globalThis.dispatchEvent(new Event('online'))
  globalThis.dispatchEvent(new Event('pageshow'))
  document.dispatchEvent(new Event('resume'))
  expect(woken).toHaveBeenCalledTimes(4)

  await life.stop()
  setHidden(true)
  globalThis.dispatchEvent(new Event('online'))
  expect(woken).toHaveBeenCalledTimes(4)
  expect(hidden).toHaveBeenCalledTimes(3)
})

it('notices that the page stood still', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const woken = vi.fn<() => void>()
  const life = watchLife({ woken, hidden: () => {} })
  onTestFinished(async () => {
    await life.stop()
    vi.useRealTimers()
  })
  await life.start()
  vi.advanceTimersByTime(60_000)
  expect(woken).not.toHaveBeenCalled()
  const now = performance.now()
  vi.spyOn(performance, 'now').mockImplementation(() => now + 120_000)
  vi.advanceTimersByTime(5_000)
  expect(woken).toHaveBeenCalledTimes(1)
})
