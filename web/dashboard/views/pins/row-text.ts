/** What a row says. */
import { formatAge, formatBytes, shorten } from '../../ui/format.ts'
import type { Tone } from '../../ui/status.tsx'
import type { PinList } from './pin-list.ts'
import type { Tally } from './pin-table.ts'

export interface RowText {
  readonly cid: string
  /** The CID, without its middle. */
  readonly shortCid: string
  readonly name: string
  readonly isNamed: boolean
  readonly tone: Tone
  readonly status: string
  readonly copies: string
  readonly tabs: string
  readonly size: string
  readonly age: string
  readonly isSelected: boolean
}

function statusOf ({ durable, tabs, busy, failed }: Tally, isAsked: boolean, percent: string): readonly [Tone, string] {
  if (failed > 0) return ['bad', failed === 1 ? 'error' : `${failed} errors`]
  if (busy > 0) return ['busy', percent === '' ? 'in progress' : percent]
  if (!isAsked) return ['idle', '…']
  return durable + tabs > 0 ? ['good', 'pinned'] : ['idle', 'not held']
}

/** The text of the pin in this row of the table; its CID has room for so many letters. */
export function rowText (list: PinList, row: number, letters: number, now: number): RowText {
  const { table, feed, members } = list
  const cid = table.cids[row] ?? ''
  const name = table.names[row] ?? ''
  const tally = table.tally(row)
  const isAsked = table.knowledge(row) === 'asked'
  const progress = feed.progress.get(cid)
  const percent = progress?.bytes !== undefined && progress.totalBytes !== undefined && progress.totalBytes > 0 ? `${Math.min(99, Math.floor(100 * progress.bytes / progress.totalBytes))} %` : ''
  const [tone, status] = statusOf(tally, isAsked, percent)
  const wanted = table.wanted[row] ?? 0
  const all = wanted < 0 ? members.fullCount : wanted
  const size = list.sizes.get(cid)
  return {
    cid, shortCid: shorten(cid, letters - 7, 6), name: name === '' ? 'no name' : name, isNamed: name !== '', tone, status,
    copies: isAsked ? `${tally.durable}/${all}` : `–/${all}`,
    tabs: isAsked && tally.tabs > 0 ? `+${tally.tabs}` : '',
    size: size === undefined ? '' : formatBytes(size),
    age: formatAge(table.created[row], now),
    isSelected: table.isSelected(row)
  }
}
