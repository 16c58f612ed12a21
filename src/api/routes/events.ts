/** `GET /events`: what happens at this peer, as it happens. */
import { every } from '../../component.ts'
import { badRequest } from '../errors.ts'
import { eventDataToJson, eventTypes, isEventType } from '../json/events.ts'
import { encodeJson } from '../json/json.ts'
import { ApiResponse } from '../response.ts'
import { encodeComment, encodeSentEvent } from '../sent-events.ts'
import type { Cluster, ClusterEvents } from '../../cluster/cluster.ts'
import type { Clock } from '../../component.ts'
import type { ApiEvent } from '../events.ts'
import type { Route, RouteContext } from './route.ts'

/** Events kept for a client that reads slowly; beyond them the oldest are left out, and it is told. */
const maxWaiting = 10_000
/** A sign of life for proxies and for clients that watch for silence, in ms. */
const heartbeat = 15_000

type Listeners = { readonly [K in keyof ClusterEvents]: (event: ClusterEvents[K]) => ApiEvent }
const eventOf: Listeners = {
  'pin:added': ({ detail }) => ({ type: 'pin:added', data: detail }),
  'pin:removed': ({ detail }) => ({ type: 'pin:removed', data: detail.toString() }),
  'status:changed': ({ detail }) => ({ type: 'status:changed', data: detail }),
  'pin:progressed': ({ detail }) => ({ type: 'pin:progressed', data: detail }),
  'peer:connected': ({ detail }) => ({ type: 'peer:connected', data: detail.toString() }),
  'peer:disconnected': ({ detail }) => ({ type: 'peer:disconnected', data: detail.toString() }),
  'alert:raised': ({ detail }) => ({ type: 'alert:raised', data: detail }),
  'sync:progressed': ({ detail }) => ({ type: 'sync:progressed', data: detail })
}

/** What one client has not read yet. */
class Outbox {
  readonly #waiting: ApiEvent[] = []
  #dropped = 0
  #heartbeats = 0
  #wake: () => void = () => {}

  push (event: ApiEvent): void {
    if (this.#waiting.length >= maxWaiting) {
      this.#waiting.length = 0
      this.#dropped += maxWaiting
    }
    this.#waiting.push(event)
    this.#wake()
  }

  beat (): void {
    this.#heartbeats = 1
    this.#wake()
  }

  /** Wakes a reader up so that it sees that its signal has fired. */
  wake (): void { this.#wake() }

  async * read (signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield encodeComment('events of this peer')
    while (!signal.aborted) {
      if (this.#dropped > 0) {
        const data = this.#dropped
        this.#dropped = 0
        yield encode({ type: 'events:dropped', data })
      }
      const events = this.#waiting.splice(0)
      for (const event of events) yield encode(event)
      if (events.length > 0) continue
      if (this.#heartbeats > 0) {
        this.#heartbeats = 0
        yield encodeComment('still here')
        continue
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
  }
}

const encode = (event: ApiEvent): Uint8Array => encodeSentEvent({ type: event.type, data: encodeJson(eventDataToJson(event)) })

function listen<K extends keyof ClusterEvents> (cluster: Cluster, type: K, outbox: Outbox): () => void {
  const listener = (event: ClusterEvents[K]): void => { outbox.push(eventOf[type](event)) }
  cluster.addEventListener(type, listener)
  return () => { cluster.removeEventListener(type, listener) }
}

async function * stream (cluster: Cluster, clock: Clock, types: ReadonlySet<string>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const outbox = new Outbox()
  const names = Object.keys(eventOf) as Array<keyof ClusterEvents>
  const forget = names.filter((name) => types.has(name)).map((name) => listen(cluster, name, outbox))
  const end = new AbortController()
  const onAbort = (): void => { outbox.wake() }
  signal.addEventListener('abort', onAbort)
  const beating = every(clock, heartbeat, () => { outbox.beat() }, { signal: end.signal, onError: () => {} })
  try {
    yield * outbox.read(signal)
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const stop of forget) stop()
    end.abort()
    await beating
  }
}

function typesOf ({ query }: RouteContext): ReadonlySet<string> {
  const text = query.get('types') ?? ''
  if (text === '') return new Set(eventTypes)
  const types = text.split(',')
  const unknown = types.find((type) => !isEventType(type))
  if (unknown !== undefined) throw badRequest(`types: ${JSON.stringify(unknown.slice(0, 64))} is no event; there are ${eventTypes.join(', ')}`)
  return new Set(types)
}

export const eventRoutes: readonly Route[] = [
  ['GET', '/events', (context) => new ApiResponse({
    status: 200,
    // The second header keeps proxies from collecting the events.
    headers: [['Content-Type', 'text/event-stream'], ['Cache-Control', 'no-cache'], ['X-Accel-Buffering', 'no']],
    body: stream(context.cluster, context.clock, typesOf(context), AbortSignal.any([context.request.signal, context.closing]))
  })]
]
