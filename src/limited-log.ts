/** A log for what others can make happen as often as they like: the first lines of many are written, and with the next one how many were not. */
import type { Logger } from './component.ts'
import { Allowance } from './allowance.ts'

const lines = { perSecond: 1 / 5, atOnce: 20 }

/** The same log; its debug lines are not limited. `now` in ms. */
export function limitedLog (log: Logger, now: () => number = () => performance.now()): Logger {
  const allowance = new Allowance(lines, now)
  let untold = 0
  const limited = (write: Logger['info']): Logger['info'] => (message, ...values) => {
    if (!allowance.take(1)) {
      untold++
      return
    }
    write(message, ...values, ...untold === 0 ? [] : [`(${untold} lines of this kind were left out)`])
    untold = 0
  }
  return {
    debug: (message, ...values) => { log.debug(message, ...values) },
    info: limited((message, ...values) => { log.info(message, ...values) }),
    warn: limited((message, ...values) => { log.warn(message, ...values) }),
    error: limited((message, ...values) => { log.error(message, ...values) })
  }
}
