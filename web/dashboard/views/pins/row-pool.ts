/** Virtual rows: a few elements that move, and change only what differs. Made by hand, for every frame counts while scrolling. */
import type { PinList } from './pin-list.ts'
import { rowText } from './row-text.ts'
import type { RowText } from './row-text.ts'

const overscan = 6
/** Browsers cut elements higher than about 33 million pixels. */
const tallest = 30_000_000

interface Slot {
  readonly element: HTMLElement
  readonly tick: HTMLElement
  readonly name: HTMLAnchorElement
  readonly head: Text
  readonly tail: Text
  readonly badge: HTMLElement
  readonly cells: ReadonlyMap<keyof RowText, Text>
  index: number
  shown: RowText | undefined
}

const cell = (row: HTMLElement, name: string): HTMLElement => {
  const element = document.createElement('div')
  element.setAttribute('role', 'gridcell')
  element.className = `c-${name}`
  row.append(element)
  return element
}
const text = (parent: HTMLElement): Text => parent.appendChild(document.createTextNode(''))
const child = (parent: HTMLElement, tag: 'span' | 'i', name: string): HTMLElement => {
  const element = document.createElement(tag)
  element.className = name
  parent.append(element)
  return element
}

function createSlot (): Slot {
  const element = document.createElement('div')
  element.setAttribute('role', 'row')
  element.className = 'pin-row'
  const tick = child(cell(element, 'tick'), 'span', 'tick')
  const nameCell = cell(element, 'name')
  const name = document.createElement('a')
  name.tabIndex = -1
  nameCell.append(name)
  const cid = child(cell(element, 'cid'), 'span', 'middle mono')
  const status = cell(element, 'status')
  const badge = child(status, 'span', 'badge')
  child(badge, 'i', 'dot').setAttribute('aria-hidden', 'true')
  return {
    element, tick, name, badge, index: -1, shown: undefined,
    head: text(child(cid, 'span', 'middle-head')), tail: text(child(cid, 'span', 'middle-tail')),
    cells: new Map<keyof RowText, Text>([
      ['name', text(name)], ['status', text(badge)], ['copies', text(cell(element, 'copies num'))], ['tabs', text(cell(element, 'tabs num'))],
      ['size', text(cell(element, 'size num'))], ['age', text(cell(element, 'age num'))]
    ])
  }
}

export interface RowPoolOptions {
  readonly scroller: HTMLElement
  readonly body: HTMLElement
  readonly list: PinList
  /** Prefix of the IDs of rows, for `aria-activedescendant`. */
  readonly prefix: string
  /** CIDs in sight, when they change. */
  readonly onSight: (cids: readonly string[]) => void
}

export class RowPool {
  active = 0
  readonly #options: RowPoolOptions
  readonly #slots: Slot[] = []
  readonly #resize: ResizeObserver
  #rowHeight = 36
  #viewport = 0
  #headHeight = 0
  #frame: number | undefined
  #sight = ''

  constructor (options: RowPoolOptions) {
    this.#options = options
    this.#resize = new ResizeObserver(() => { this.#measure() })
    this.#resize.observe(options.scroller)
    options.scroller.addEventListener('scroll', this.#onScroll, { passive: true })
    this.#measure()
  }

  get pageRows (): number { return Math.max(1, Math.floor((this.#viewport - this.#headHeight) / this.#rowHeight) - 1) }
  /** How many rows fit into one element; searches narrow down what is beyond. */
  get limit (): number { return Math.floor(tallest / this.#rowHeight) }

  stop (): void {
    this.#resize.disconnect()
    this.#options.scroller.removeEventListener('scroll', this.#onScroll)
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame)
    this.#options.body.replaceChildren()
  }

  /** Draws what is in sight. */
  readonly paint = (): void => {
    this.#frame = undefined
    const { scroller, body, list } = this.#options
    const count = Math.min(list.rows.length, this.limit)
    const height = `${count * this.#rowHeight}px`
    if (body.style.height !== height) body.style.height = height
    const first = Math.max(0, Math.floor(scroller.scrollTop / this.#rowHeight) - overscan)
    const visible = Math.ceil(this.#viewport / this.#rowHeight) + 2 * overscan
    this.#grow(visible)
    for (let index = first; index < first + visible; index++) this.#paintSlot(index, count)
    this.#reportSight(Math.min(count, first + overscan), Math.min(count, first + visible - overscan))
  }

  /** Moves the active row and brings it into sight. */
  activate (index: number): void {
    const count = Math.min(this.#options.list.rows.length, this.limit)
    this.active = Math.max(0, Math.min(count - 1, index))
    const { scroller } = this.#options
    const top = this.active * this.#rowHeight
    const room = this.#viewport - this.#headHeight
    if (top < scroller.scrollTop) scroller.scrollTop = top
    else if (top + this.#rowHeight > scroller.scrollTop + room) scroller.scrollTop = top + this.#rowHeight - room
    this.paint()
  }

  readonly #onScroll = (): void => {
    this.#options.list.scrollTop = this.#options.scroller.scrollTop
    this.#frame ??= requestAnimationFrame(this.paint)
  }

  #measure (): void {
    const { scroller, body } = this.#options
    const height = Number.parseFloat(getComputedStyle(scroller).getPropertyValue('--list-row'))
    this.#rowHeight = Number.isFinite(height) && height > 0 ? height : 36
    this.#viewport = scroller.clientHeight
    this.#headHeight = body.offsetTop
    for (const slot of this.#slots) slot.index = -1
    this.#frame ??= requestAnimationFrame(this.paint)
  }

  #grow (wanted: number): void {
    while (this.#slots.length < wanted) {
      const slot = createSlot()
      this.#slots.push(slot)
      this.#options.body.append(slot.element)
    }
  }

  #paintSlot (index: number, count: number): void {
    const slot = this.#slots[index % this.#slots.length]
    if (slot === undefined) return
    const { element } = slot
    if (index >= count) {
      if (!element.hidden) element.hidden = true
      slot.index = -1
      return
    }
    if (slot.index !== index) {
      slot.index = index
      element.style.transform = `translateY(${index * this.#rowHeight}px)`
      element.ariaRowIndex = String(index + 2)
      element.id = `${this.#options.prefix}-${index}`
      element.dataset['index'] = String(index)
      if (element.hidden) element.hidden = false
    }
    this.#fill(slot, rowText(this.#options.list, this.#options.list.rows[index] ?? 0), index === this.active)
  }

  #fill (slot: Slot, next: RowText, isActive: boolean): void {
    const { element, shown } = slot
    if (element.classList.contains('active') !== isActive) element.classList.toggle('active', isActive)
    if (shown?.isSelected !== next.isSelected) {
      element.ariaSelected = String(next.isSelected)
      slot.tick.classList.toggle('on', next.isSelected)
    }
    if (shown?.cid !== next.cid) {
      slot.name.href = `#/pins/${next.cid}`
      element.dataset['cid'] = next.cid
      slot.head.data = next.cid.slice(0, -6)
      slot.tail.data = next.cid.slice(-6)
    }
    if (shown?.isNamed !== next.isNamed) slot.name.classList.toggle('unnamed', !next.isNamed)
    if (shown?.tone !== next.tone) slot.badge.className = `badge ${next.tone}`
    for (const [key, node] of slot.cells) if (shown?.[key] !== next[key]) node.data = String(next[key])
    slot.shown = next
  }

  #reportSight (from: number, to: number): void {
    const { list, onSight } = this.#options
    const cids: string[] = []
    for (let index = from; index < to; index++) cids.push(list.table.cids[list.rows[index] ?? 0] ?? '')
    const key = `${cids.length} ${cids[0] ?? ''} ${cids.at(-1) ?? ''}`
    if (key === this.#sight) return
    this.#sight = key
    onSight(cids)
  }
}
