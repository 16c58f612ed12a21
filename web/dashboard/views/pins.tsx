/** The pinset: search, filters, and a list that stays quick with a hundred thousand pins. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { recover, unpin } from '../actions.ts'
import { hrefOf } from '../route.ts'
import type { Session } from '../session.ts'
import { Button, Empty, ErrorState, LinkButton, Loading, formatCount, plural } from '../ui/index.ts'
import { PinFilters } from './pins/filters.tsx'
import { PinGrid } from './pins/grid.tsx'
import { pinListOf } from './pins/pin-list.ts'
import type { PinList } from './pins/pin-list.ts'
import { allPins, isNarrowed } from './pins/pin-order.ts'
import '../styles/pins.css'

/** Draws again when the list says so. */
function useList (list: PinList): void {
  const [, setRound] = useState(0)
  useEffect(() => list.onChange(() => { setRound((round) => round + 1) }), [list])
}

/** How many pins there are, and how many are shown. */
function countText (list: PinList): string {
  const total = plural(list.table.size, 'pin')
  if (list.load.kind === 'loading') return list.table.size === 0 ? 'Reading the pinset…' : `Reading the pinset… ${formatCount(list.table.size)}`
  return isNarrowed(list.criteria) ? `${formatCount(list.rows.length)} of ${total}` : total
}

function SelectionBar ({ session, list }: { readonly session: Session, readonly list: PinList }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const clear = (): void => {
    for (let row = 0; row < list.table.length; row++) list.table.select(row, false)
    list.announce()
  }
  const run = (action: (session: Session, cids: readonly string[]) => Promise<unknown>): void => {
    setBusy(true)
    void action(session, list.table.selectedCids()).finally(() => { setBusy(false) })
  }
  return (
    <div class="selection" role="region" aria-label="Selection">
      <strong class="num" role="status">{formatCount(list.table.selected)} selected</strong>
      <Button icon="recover" busy={busy} onClick={() => { run(recover) }}>Recover</Button>
      <Button icon="trash" busy={busy} onClick={() => { run(unpin) }}>Unpin</Button>
      <Button tone="quiet" onClick={clear}>Clear</Button>
    </div>
  )
}

function Body ({ list }: { readonly list: PinList }): JSX.Element {
  if (list.load.kind === 'failed') return <ErrorState title="The pinset could not be read" error={list.load.error} onRetry={list.reload} />
  if (list.table.size === 0 && list.load.kind === 'loading') return <Loading text="Reading the pinset…" />
  if (list.table.size === 0) {
    return (
      <Empty icon="pin" title="Nothing is pinned yet" action={<LinkButton tone="primary" icon="add" href={hrefOf('add')}>Add content</LinkButton>}>
        Drop files or folders anywhere on this page, or pin content by its CID. Every peer of the cluster sees it then.
      </Empty>
    )
  }
  return (
    <>
      <PinGrid list={list} />
      {list.rows.length === 0 && isNarrowed(list.criteria) && (
        <div class="grid-empty"><Empty icon="search" title="No pin matches" action={<Button onClick={() => { list.show({ ...allPins, sort: list.criteria.sort, descending: list.criteria.descending }) }}>Show all pins</Button>} /></div>
      )}
    </>
  )
}

export function PinsView ({ session }: { readonly session: Session }): JSX.Element {
  const list = pinListOf(session)
  const search = useRef<HTMLInputElement>(null)
  useList(list)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog') !== null
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      search.current?.focus()
      search.current?.select()
    }
    addEventListener('keydown', onKey)
    return () => { removeEventListener('keydown', onKey) }
  }, [])
  const count = countText(list)
  return (
    <div class="pins">
      <header class="pins-head">
        <div class="pins-title"><h1>Pins</h1><p class="num muted" role="status" aria-live="polite">{list.load.kind === 'loading' ? <span aria-hidden="true">{count}</span> : count}</p></div>
        <PinFilters list={list} searchRef={search} />
      </header>
      {list.table.selected > 0 && <SelectionBar session={session} list={list} />}
      <div class="pins-body"><Body list={list} /></div>
    </div>
  )
}
