/** Virtual rows: a few elements that move, and change only what differs. Made by hand, for every frame counts while scrolling. */
import type { PinList } from './pin-list.ts'
import { RowSlot } from './row-slot.ts'
import { rowText } from './row-text.ts'

const overscan = 2
/** Browsers cut elements higher than about 33 million pixels. */
const tallest = 30_000_000
/** The list stands still when nothing moved for so many ms. */
const stillAfter = 100

export interface RowPoolOptions {
  readonly scroller: HTMLElement
  readonly body: HTMLElement
  readonly list: PinList
  /** Prefix of the IDs of rows, for `aria-activedescendant`. */
  readonly prefix: string
  /** CIDs in sight, once the list stands still. */
  readonly onSight: (cids: readonly string[]) => void
}

export class RowPool {
  readonly #options: RowPoolOptions
  readonly #slots: RowSlot[] = []
  readonly #resize: ResizeObserver
  #rowHeight = 36
  #viewport = 0
  #headHeight = 0
  #bodyHeight = -1
  #scrollTop = 0
  #cidLength = 20
  #paintedTop = 0
  #isFlying = false
  #frame: number | undefined
  #still: ReturnType<typeof setTimeout> | undefined
  #sight = ''

  constructor (options: RowPoolOptions) {
    this.#options = options
    this.#resize = new ResizeObserver(() => { this.#measure() })
    this.#resize.observe(options.scroller)
    options.scroller.addEventListener('scroll', this.#onScroll, { passive: true })
    this.#measure()
  }

  get active (): number { return this.#options.list.active }
  set active (index: number) { this.#options.list.active = index }
  get pageRows (): number { return Math.max(1, Math.floor((this.#viewport - this.#headHeight) / this.#rowHeight) - 1) }
  /** How many rows are shown: as many as fit into one element; searches narrow down what is beyond. */
  get count (): number { return Math.min(this.#options.list.rows.length, Math.floor(tallest / this.#rowHeight)) }

  stop (): void {
    this.#resize.disconnect()
    this.#options.scroller.removeEventListener('scroll', this.#onScroll)
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame)
    clearTimeout(this.#still)
    this.#options.body.replaceChildren()
  }

  /** Draws what is in sight. */
  readonly paint = (): void => {
    this.#frame = undefined
    const { list, body } = this.#options
    const { count } = this
    if (this.#bodyHeight !== count * this.#rowHeight) {
      this.#bodyHeight = count * this.#rowHeight
      body.style.height = `${this.#bodyHeight}px`
    }
    const first = Math.max(0, Math.floor(this.#scrollTop / this.#rowHeight) - overscan)
    this.#grow()
    this.#fly(Math.abs(this.#scrollTop - this.#paintedTop) > this.#viewport / 3)
    const now = Date.now()
    for (let index = first; index < first + this.#slots.length; index++) {
      const slot = this.#slots[index % this.#slots.length]
      if (slot === undefined) continue
      if (index >= count) { slot.hide(); continue }
      slot.place(index, index * this.#rowHeight)
      slot.fill(rowText(list, list.rows[index] ?? 0, this.#cidLength, now), index === this.active, this.#isFlying)
    }
    this.#paintedTop = this.#scrollTop
    clearTimeout(this.#still)
    this.#still = setTimeout(this.#settle, stillAfter)
  }

  /** Rows that fly by, a third of a screen and more a frame, show their names only: nobody can read more. */
  #fly (isFlying: boolean): void {
    if (this.#isFlying !== isFlying) this.#options.body.classList.toggle('flying', this.#isFlying = isFlying)
  }

  /** Moves the active row and brings it into sight. */
  activate (index: number): void {
    this.active = Math.max(0, Math.min(this.count - 1, index))
    const { scroller } = this.#options
    const top = this.active * this.#rowHeight
    const room = this.#viewport - this.#headHeight
    if (top < scroller.scrollTop) scroller.scrollTop = top
    else if (top + this.#rowHeight > scroller.scrollTop + room) scroller.scrollTop = top + this.#rowHeight - room
    this.#scrollTop = scroller.scrollTop
    this.paint()
    this.#settle()
  }

  readonly #onScroll = (): void => {
    this.#scrollTop = this.#options.scroller.scrollTop
    this.#options.list.scrollTop = this.#scrollTop
    this.#frame ??= requestAnimationFrame(this.paint)
  }

  #measure (): void {
    const { scroller, body } = this.#options
    const style = getComputedStyle(scroller)
    const height = Number.parseFloat(style.getPropertyValue('--list-row'))
    this.#rowHeight = Number.isFinite(height) && height > 0 ? height : 36
    this.#viewport = scroller.clientHeight
    this.#headHeight = body.offsetTop
    this.#scrollTop = scroller.scrollTop
    this.#cidLength = lettersIn(body)
    for (const slot of this.#slots) slot.index = -1
    this.#frame ??= requestAnimationFrame(this.paint)
  }

  #grow (): void {
    const wanted = Math.ceil(this.#viewport / this.#rowHeight) + 1 + 2 * overscan
    while (this.#slots.length < wanted) {
      const slot = new RowSlot()
      this.#slots.push(slot)
      this.#options.body.append(slot.element)
    }
  }

  readonly #settle = (): void => {
    if (this.#isFlying) return this.paint()
    for (const slot of this.#slots) slot.settle(this.#options.prefix)
    const { list, onSight } = this.#options
    const from = Math.floor(this.#scrollTop / this.#rowHeight)
    const cids = [...list.rows.subarray(from, Math.min(this.count, from + Math.ceil(this.#viewport / this.#rowHeight)))].map((row) => list.table.cids[row] ?? '')
    const key = cids.join()
    if (key === this.#sight) return
    this.#sight = key
    onSight(cids)
  }
}

/** How many letters of a CID its column has room for: the font has letters of one width. */
function lettersIn (body: HTMLElement): number {
  const probe = new RowSlot()
  probe.element.style.visibility = 'hidden'
  body.append(probe.element)
  const cid = probe.element.querySelector<HTMLElement>('.c-cid')
  const ruler = document.createElement('span')
  ruler.textContent = '0'.repeat(50)
  cid?.append(ruler)
  const letter = ruler.getBoundingClientRect().width / 50
  const room = cid === null ? 0 : cid.clientWidth - Number.parseFloat(getComputedStyle(cid).paddingRight)
  probe.element.remove()
  return letter > 0 ? Math.max(8, Math.floor(room / letter)) : 20
}
