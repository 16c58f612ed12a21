/** Uploads under way: they go on while other views are shown. */
import type { PinRequest, UploadEntry } from '../../src/api/client.ts'
import { errorText } from '../../src/component.ts'
import type { Session } from './session.ts'
import { pinListOf } from './views/pins/pin-list.ts'

export type UploadState =
  | { readonly kind: 'waiting' | 'sending' | 'cancelled' }
  | { readonly kind: 'done', readonly cid: string }
  | { readonly kind: 'failed', readonly error: string }

/** One pin to be: a file, a folder, or several together. */
export interface Upload {
  readonly id: number
  readonly title: string
  readonly isFolder: boolean
  readonly totalBytes: number
  readonly entries: number
  readonly sentBytes: number
  readonly addedEntries: number
  readonly state: UploadState
}

/** What was dropped or chosen. */
export interface UploadItem {
  readonly title: string
  readonly isFolder: boolean
  readonly bytes: number
  readonly entries: readonly UploadEntry[]
}

interface Task extends Upload { readonly item: UploadItem, readonly request: PinRequest & { readonly wrapWithDirectory?: boolean }, readonly abort: AbortController }

export class Uploads {
  readonly #session: Session
  readonly #listeners = new Set<() => void>()
  #tasks: readonly Task[] = []
  #isRunning = false
  #isAnnounced = false

  constructor (session: Session) { this.#session = session }

  get all (): readonly Upload[] { return this.#tasks }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Queues one pin; they go one after the other. */
  add (item: UploadItem, request: Task['request']): void {
    const id = (this.#tasks.at(-1)?.id ?? 0) + 1
    const entries = item.entries.filter(({ kind }) => kind === 'file').length
    this.#tasks = [...this.#tasks, { id, title: item.title, isFolder: item.isFolder, totalBytes: item.bytes, entries, sentBytes: 0, addedEntries: 0, state: { kind: 'waiting' }, item, request, abort: new AbortController() }]
    this.#announce()
    void this.#run()
  }

  cancel (id: number): void {
    this.#tasks.find((task) => task.id === id)?.abort.abort(new Error('cancelled'))
    this.#set(id, { state: { kind: 'cancelled' } })
  }

  retry (id: number): void {
    const task = this.#tasks.find((known) => known.id === id)
    if (task === undefined) return
    this.#tasks = this.#tasks.filter((known) => known.id !== id)
    this.add(task.item, task.request)
  }

  /** Takes those that ended off the list. */
  clear (): void {
    this.#tasks = this.#tasks.filter(({ state }) => state.kind === 'waiting' || state.kind === 'sending')
    this.#announce()
  }

  async #run (): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let task = this.#next(); task !== undefined; task = this.#next()) await this.#send(task)
    this.#isRunning = false
  }

  #next (): Task | undefined { return this.#tasks.find(({ state }) => state.kind === 'waiting') }

  async #send ({ id, item, request, abort }: Task): Promise<void> {
    this.#set(id, { state: { kind: 'sending' } })
    try {
      let cid = ''
      let addedEntries = 0
      let size: number | undefined
      const onUpload = (sentBytes: number): void => { this.#set(id, { sentBytes }) }
      for await (const added of this.#session.add(item.entries, { ...request, cidVersion: 1, onUpload, signal: abort.signal })) {
        if (added.cid === undefined) continue
        cid = added.cid.toString()
        size = added.size
        this.#set(id, { addedEntries: ++addedEntries })
      }
      if (size !== undefined) pinListOf(this.#session).sizes.set(cid, size)
      this.#set(id, { state: { kind: 'done', cid } })
    } catch (error) {
      if (!abort.signal.aborted) this.#set(id, { state: { kind: 'failed', error: errorText(error) } })
    }
  }

  #set (id: number, change: Partial<Upload>): void {
    this.#tasks = this.#tasks.map((task) => task.id === id ? { ...task, ...change } : task)
    this.#announce()
  }

  #announce (): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    setTimeout(() => {
      this.#isAnnounced = false
      for (const listener of this.#listeners) listener()
    }, 60)
  }
}

const known = new WeakMap<Session, Uploads>()

export function uploadsOf (session: Session): Uploads {
  const uploads = known.get(session) ?? new Uploads(session)
  known.set(session, uploads)
  return uploads
}
