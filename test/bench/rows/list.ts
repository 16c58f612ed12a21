/** Whole listings, read to their end by one client. */
import { call } from '../load.ts'
import type { ServerRow } from './row.ts'

const listings = [
  ['/allocations?filter=all', 'allocationsFirst', 'allocations'],
  ['/pins?local=true', 'localFirst', 'local'],
  ['/pins', 'pinsFirst', 'pins']
] as const

export const list: ServerRow = {
  name: 'list',
  measure: async ({ note, pins, kind, settings: { profile } }, { base }) => {
    const times = profile === undefined ? 1 : 10
    for (const [path, first, total] of listings.flatMap((listing) => Array.from({ length: times }, () => listing))) {
      const answer = await call(base, 'GET', path)
      if (answer.lines < pins || kind.controlled && answer.lines !== pins) throw new Error(`GET ${path} of ${base}: ${answer.lines} lines for ${pins} pins`)
      note(first, answer.firstByte)
      note(total, answer.total)
    }
  }
}
