/** One element of the virtual list: made once, then changed only where it differs. */
import type { RowText } from './row-text.ts'

const child = (parent: HTMLElement, tag: string, name: string): HTMLElement => {
  const element = document.createElement(tag)
  element.className = name
  return parent.appendChild(element)
}
const cell = (row: HTMLElement, name: string): HTMLElement => {
  const element = child(row, 'div', `c-${name}`)
  element.setAttribute('role', 'gridcell')
  return element
}
const text = (parent: HTMLElement): Text => parent.appendChild(document.createTextNode(''))

/** Columns that are filled while the list flies by; the others are blank then. */
const quickColumns = 1
const columns = ['name', 'shortCid', 'status', 'copies', 'tabs', 'size', 'age'] as const

export class RowSlot {
  readonly element = document.createElement('div')
  /** Place in the list; -1 where it shows nothing. */
  index = -1
  cid = ''
  readonly #tick: HTMLElement
  readonly #name: HTMLAnchorElement
  readonly #badge: HTMLElement
  readonly #texts: ReadonlyArray<readonly [typeof columns[number], Text]>
  readonly #values: string[] = []
  #shown: RowText | undefined
  #isActive = false
  #linked = ''

  constructor () {
    const { element } = this
    element.setAttribute('role', 'row')
    element.className = 'pin-row'
    this.#tick = child(cell(element, 'tick'), 'span', 'tick')
    this.#name = document.createElement('a')
    this.#name.tabIndex = -1
    cell(element, 'name').append(this.#name)
    const cid = cell(element, 'cid mono')
    this.#badge = child(cell(element, 'status'), 'span', 'badge')
    child(this.#badge, 'i', 'dot').setAttribute('aria-hidden', 'true')
    const parents = [this.#name, cid, this.#badge, ...['copies', 'tabs', 'size', 'age'].map((name) => cell(element, `${name} num`))]
    this.#texts = columns.flatMap((column, at) => { const parent = parents[at]; return parent === undefined ? [] : [[column, text(parent)] as const] })
  }

  /** Moves it to a place in the list. */
  place (index: number, top: number): void {
    if (this.index === index) return
    if (this.index < 0) this.element.hidden = false
    this.index = index
    this.element.style.transform = `translateY(${top}px)`
  }

  hide (): void {
    if (this.index < 0 && this.element.hidden) return
    this.index = -1
    this.element.hidden = true
  }

  /** `isQuick`: only what tells pins apart. */
  fill (next: RowText, isActive: boolean, isQuick: boolean): void {
    const shown = this.#shown
    this.cid = next.cid
    this.#write(next, isQuick ? quickColumns : columns.length)
    if (this.#isActive !== isActive) this.element.classList.toggle('active', this.#isActive = isActive)
    if (shown?.isSelected !== next.isSelected) {
      this.element.ariaSelected = String(next.isSelected)
      this.#tick.classList.toggle('on', next.isSelected)
    }
    if (shown?.isNamed !== next.isNamed) this.#name.classList.toggle('unnamed', !next.isNamed)
    if (shown?.tone !== next.tone) this.#badge.className = `badge ${next.tone}`
    this.#shown = next
  }

  #write (next: RowText, count: number): void {
    for (let at = 0; at < count; at++) {
      const entry = this.#texts[at]
      if (entry === undefined || this.#values[at] === next[entry[0]]) continue
      this.#values[at] = entry[1].data = next[entry[0]]
    }
  }

  /** What only matters once the list stands still: the link, and the place as assistive technology counts it. */
  settle (prefix: string): void {
    if (this.index < 0) return
    const linked = `${this.index} ${this.cid}`
    if (this.#linked === linked) return
    this.#linked = linked
    this.element.id = `${prefix}-${this.index}`
    this.element.ariaRowIndex = String(this.index + 2)
    this.element.dataset['index'] = String(this.index)
    this.#name.href = `#/pins/${this.cid}`
    this.#name.title = this.#shown?.isNamed === true ? this.#shown.name : ''
  }
}
