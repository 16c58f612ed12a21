/** In the tab that runs the peer: answers what other tabs ask. */
import type { Api } from '../../src/api/api.ts'
import { localTransport } from '../../src/api/client/transport.ts'
import { errorText } from '../../src/component.ts'
import type { TabChannel } from './channel.ts'
import { maxChunk, window } from './messages.ts'
import type { TabMessage } from './messages.ts'
import { untilGone } from './presence.ts'

type TabRequest = Extract<TabMessage, { kind: 'request' }>

/** Requests of other tabs at the same time. */
const maxRequests = 256

/** Who leads: this tab, as a member of this cluster. */
export interface Leadership {
  readonly leader: string
  readonly cluster: string
  /** @default the browser's */
  readonly locks?: Pick<LockManager, 'request'> | undefined
}

/** Announces this tab as the leader and serves the others until the returned function is called. */
export function serveTabs (channel: TabChannel, api: Api, { leader, cluster, locks }: Leadership): () => void {
  const running = new Map<string, Answering>()
  /** Tabs whose end is waited for. */
  const watched = new Set<string>()
  const stop = new AbortController()
  const watch = async (tab: string): Promise<void> => {
    if (watched.has(tab)) return
    watched.add(tab)
    // Rejects only when this tab serves no longer.
    await untilGone(tab, stop.signal, locks).catch(() => {})
    watched.delete(tab)
    for (const answering of running.values()) if (answering.tab === tab) answering.abort()
  }
  const take = (request: TabRequest): void => {
    if (running.has(request.id)) return
    if (running.size >= maxRequests) {
      channel.send({ kind: 'fail', id: request.id, message: 'too many calls of other tabs at the same time' })
      return
    }
    const answering = new Answering(channel, api, leader, request.from)
    running.set(request.id, answering)
    void watch(request.from)
    void answering.run(request).finally(() => { running.delete(request.id) })
  }
  const announce = (): void => { channel.send({ kind: 'leader', leader, cluster }) }
  const stopListening = channel.listen((message) => {
    if (message.kind === 'who') announce()
    else if (message.kind === 'abort') running.get(message.id)?.abort()
    else if (message.kind === 'read') running.get(message.id)?.read(message.chunks)
    else if (message.kind === 'request') take(message)
  })
  announce()
  return () => {
    stopListening()
    stop.abort(new Error('this tab serves no longer'))
    for (const answering of running.values()) answering.abort()
  }
}

class Answering {
  /** Who asked. */
  readonly tab: string
  readonly #channel: TabChannel
  readonly #api: Api
  readonly #leader: string
  readonly #abort = new AbortController()
  #credit = window
  #wake: () => void = () => {}

  constructor (channel: TabChannel, api: Api, leader: string, tab: string) {
    this.tab = tab
    this.#channel = channel
    this.#api = api
    this.#leader = leader
  }

  abort (): void {
    this.#abort.abort(new Error('the tab that asked is gone'))
    this.#wake()
  }

  read (chunks: number): void {
    this.#credit = Math.min(window, this.#credit + chunks)
    this.#wake()
  }

  /** Never rejects. */
  async run ({ id, method, url, headers, body }: TabRequest): Promise<void> {
    const { signal } = this.#abort
    try {
      const answer = await localTransport(this.#api)({ method, url, headers, body, signal })
      const type = answer.header('content-type')
      this.#channel.send({ kind: 'head', id, leader: this.#leader, status: answer.status, headers: type === null ? [] : [['content-type', type]] })
      for await (const bytes of answer.body) {
        for (let from = 0; from < bytes.length; from += maxChunk) {
          await this.#room()
          signal.throwIfAborted()
          // A copy: what is cloned must not drag a larger buffer along.
          this.#channel.send({ kind: 'data', id, bytes: bytes.slice(from, from + maxChunk) })
        }
      }
      this.#channel.send({ kind: 'end', id, trailers: await answer.trailers })
    } catch (error) {
      if (!signal.aborted) this.#channel.send({ kind: 'fail', id, message: errorText(error).slice(0, 4096) })
    }
  }

  async #room (): Promise<void> {
    while (this.#credit === 0 && !this.#abort.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    this.#credit--
  }
}
