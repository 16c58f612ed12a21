/** The grid of pins: the frame, the head and the keys; its rows are drawn by `RowPool`. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { JSX } from 'preact'
import { navigate } from '../../route.ts'
import { Icon } from '../../ui/icons.tsx'
import type { PinList } from './pin-list.ts'
import type { SortKey } from './pin-order.ts'
import { RowPool } from './row-pool.ts'

const prefix = 'pin'

function Head ({ list, title, sort, kind }: { readonly list: PinList, readonly title: string, readonly sort?: SortKey, readonly kind: string }): JSX.Element {
  const { criteria } = list
  if (sort === undefined) return <div role="columnheader" class={`c-${kind}`}>{title}</div>
  const isSorted = criteria.sort === sort
  const onSort = (): void => { list.show({ ...criteria, sort, descending: isSorted ? !criteria.descending : sort === 'created' }) }
  return (
    <div role="columnheader" class={`c-${kind}`} aria-sort={isSorted ? criteria.descending ? 'descending' : 'ascending' : 'none'}>
      <button type="button" class={isSorted ? 'sort on' : 'sort'} onClick={onSort}>{title}{isSorted && <Icon name={criteria.descending ? 'down' : 'up'} size={12} />}</button>
    </div>
  )
}

/** Selects rows of the list from one index to another. */
function selectRange (list: PinList, from: number, to: number, selected: boolean): void {
  for (let index = Math.min(from, to); index <= Math.max(from, to); index++) list.table.select(list.rows[index] ?? 0, selected)
  list.announce()
}

function open (list: PinList, index: number): void {
  const cid = list.table.cids[list.rows[index] ?? -1]
  if (cid !== undefined) navigate('pins', cid)
}

/** Where a key moves the active row; undefined for other keys. */
function moved (key: string, pool: RowPool, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown': return pool.active + 1
    case 'ArrowUp': return pool.active - 1
    case 'PageDown': return pool.active + pool.pageRows
    case 'PageUp': return pool.active - pool.pageRows
    case 'Home': return 0
    case 'End': return count - 1
    default: return undefined
  }
}

class Keys {
  #anchor = 0
  readonly #list: PinList
  readonly #pool: RowPool
  readonly #grid: HTMLElement

  constructor (list: PinList, pool: RowPool, grid: HTMLElement) {
    this.#list = list
    this.#pool = pool
    this.#grid = grid
  }

  readonly onKey = (event: KeyboardEvent): void => {
    if (event.target !== this.#grid || event.altKey) return
    const { rows, table } = this.#list
    const to = moved(event.key, this.#pool, rows.length)
    if (to !== undefined) this.#move(to, event.shiftKey)
    else if (event.key === 'Enter') { this.#list.hadFocus = true; open(this.#list, this.#pool.active) }
    else if (event.key === ' ') this.toggle(this.#pool.active, event.shiftKey)
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) selectRange(this.#list, 0, rows.length - 1, true)
    else if (event.key === 'Escape' && table.selected > 0) { for (let row = 0; row < table.length; row++) table.select(row, false); this.#list.announce() }
    else return
    event.preventDefault()
  }

  readonly onClick = (event: MouseEvent): void => {
    const target = event.target as HTMLElement
    const row = target.closest<HTMLElement>('.pin-row')
    if (row === null || event.ctrlKey || event.metaKey) return
    const index = Number(row.dataset['index'])
    this.#pool.active = index
    if (target.closest('.c-tick') !== null) this.toggle(index, event.shiftKey)
    else if (target.closest('a') === null && getSelection()?.isCollapsed !== false) open(this.#list, index)
    this.tellActive()
  }

  toggle (index: number, isRange: boolean): void {
    const selected = !this.#list.table.isSelected(this.#list.rows[index] ?? 0)
    selectRange(this.#list, isRange ? this.#anchor : index, index, isRange || selected)
    this.#anchor = index
  }

  readonly tellActive = (): void => { this.#grid.setAttribute('aria-activedescendant', `${prefix}-${this.#pool.active}`) }

  #move (to: number, isRange: boolean): void {
    if (!isRange) this.#anchor = Math.max(0, Math.min(this.#list.rows.length - 1, to))
    this.#pool.activate(to)
    if (isRange) selectRange(this.#list, this.#anchor, this.#pool.active, true)
    this.tellActive()
  }
}

export function PinGrid ({ list }: { readonly list: PinList }): JSX.Element {
  const grid = useRef<HTMLDivElement>(null)
  const body = useRef<HTMLDivElement>(null)
  const pool = useRef<RowPool>(undefined)
  useLayoutEffect(() => {
    const [scroller, rows] = [grid.current, body.current]
    if (scroller === null || rows === null) return undefined
    const made = new RowPool({ scroller, body: rows, list, prefix, onSight: (cids) => { list.feed.look(cids) } })
    const keys = new Keys(list, made, scroller)
    pool.current = made
    made.paint()
    scroller.scrollTop = list.scrollTop
    if (list.hadFocus) scroller.focus({ preventScroll: true })
    list.hadFocus = false
    scroller.addEventListener('keydown', keys.onKey)
    scroller.addEventListener('click', keys.onClick)
    scroller.addEventListener('focus', keys.tellActive)
    return () => { made.stop() }
  }, [list])
  useEffect(() => { pool.current?.paint() })
  const { rows, table, criteria, sizes } = list
  const key = `${criteria.search}|${criteria.status}|${criteria.type}|${criteria.mine}|${criteria.sort}|${criteria.descending}`
  const lastKey = useRef(key)
  useEffect(() => {
    // Another question is answered from its first row.
    if (lastKey.current === key || grid.current === null) return
    lastKey.current = key
    grid.current.scrollTop = 0
    if (pool.current !== undefined) pool.current.active = 0
  }, [key])
  const areAllSelected = rows.length > 0 && table.selected >= rows.length
  return (
    <div class={sizes.size > 0 ? 'pin-grid with-size' : 'pin-grid'} role="grid" ref={grid} tabIndex={0} data-pin-grid aria-label="Pins" aria-multiselectable="true" aria-rowcount={rows.length + 1} aria-colcount={sizes.size > 0 ? 8 : 7}>
      <div role="rowgroup" class="pin-head">
        <div role="row" class="pin-row" aria-rowindex={1}>
          <div role="columnheader" class="c-tick"><button type="button" class="tick-all" aria-label={areAllSelected ? 'Select none' : 'Select all that are shown'} onClick={() => { selectRange(list, 0, rows.length - 1, !areAllSelected) }}><span class={areAllSelected ? 'tick on' : 'tick'} /></button></div>
          <Head list={list} title="Name" sort="name" kind="name" />
          <Head list={list} title="CID" sort="cid" kind="cid" />
          <Head list={list} title="Status" kind="status" />
          <Head list={list} title="Copies" kind="copies num" />
          <Head list={list} title="Tabs" kind="tabs num" />
          <Head list={list} title="Size" kind="size num" />
          <Head list={list} title="Age" sort="created" kind="age num" />
        </div>
      </div>
      <div role="rowgroup" class="pin-rows" ref={body} />
    </div>
  )
}
