/** The load client: many keep-alive connections to one REST API, and the figures one run of it gives. Times in ms. */
import { Agent, request } from 'node:http'
import { randomBytes } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { onConnections } from './connection.ts'
import type { StandIn } from './stand-in-process.ts'

export interface Answer { readonly status: number, readonly bytes: number, readonly lines: number, readonly firstByte: number, readonly total: number, readonly body: string }

const agent = new Agent({ keepAlive: true, maxSockets: 256 })

/** One request, read to its end; the body is kept only when it is small. */
export async function call (base: string, method: string, path: string, body?: Iterable<Uint8Array>, headers: Record<string, string> = {}): Promise<Answer> {
  const start = performance.now()
  return await new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, base), { agent, method, headers }, (incoming) => {
      let bytes = 0, lines = 0, firstByte = 0, text = ''
      incoming.on('data', (data: Buffer) => {
        if (firstByte === 0) firstByte = performance.now() - start
        bytes += data.length
        for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1)) lines++
        if (bytes < 65_536) text += data.toString()
      })
      incoming.on('end', () => {
        const failure = incoming.trailers['x-stream-error']
        if (failure !== undefined && failure !== '') reject(new Error(`${method} ${path}: ${failure}`))
        else resolve({ status: incoming.statusCode ?? 0, bytes, lines, firstByte, total: performance.now() - start, body: text })
      })
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    if (body === undefined) { outgoing.end(); return }
    const write = async (): Promise<void> => {
      for (const chunk of body) if (!outgoing.write(chunk)) await new Promise((drained) => outgoing.once('drain', drained))
      outgoing.end()
    }
    write().catch(reject)
  })
}

/** A CID nobody has pinned before. */
export const freshCid = (): string => CID.createV1(0x55, Digest.create(0x12, randomBytes(32))).toString()

export const quantile = (values: readonly number[], q: number): number => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN
export const median = (values: readonly number[]): number => quantile(values, 0.5)

export interface PinRun { readonly acceptedPerSecond: number, readonly pinnedPerSecond: number, readonly p50: number, readonly p99: number, readonly sample: string }

export interface PinRunOptions {
  /** @default -1, everywhere */
  readonly replication?: number
  /** The kubo behind the server: asked for its pins, where there is one, instead of the server for its queue. */
  readonly standIn?: Pick<StandIn, 'pins'> | undefined
  /** Called every few seconds with how far it is. */
  readonly progress?: (text: string) => void
}

/** Ms without one more pin after which a run is given up: it will not end. */
const patience = 60_000

/** Resolves when no operation is left: as the stand-in says, which costs the server nothing, or as the server says. */
async function untilPinned (base: string, wanted: number, { standIn, progress }: PinRunOptions): Promise<void> {
  let [told, grew, last] = [performance.now(), performance.now(), 0]
  for (;;) {
    const has = await standIn?.pins()
    if (has === undefined ? (await call(base, 'GET', '/pins?local=true&filter=pin_queued,pinning')).status === 204 : has >= wanted) return
    const now = performance.now()
    if (has !== undefined && has > last) [grew, last] = [now, has]
    if (has !== undefined && now - grew > patience) throw new Error(`kubo has ${has} of ${wanted} pins, and no more came in ${patience / 1000} s`)
    if (now - told > 5000) { told = now; progress?.(`${has ?? 'not yet all'} of ${wanted} pinned`) }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Pins `count` fresh CIDs from `clients` connections, then waits until no operation is left. */
export async function pinRun (base: string, count: number, clients: number, options: PinRunOptions = {}): Promise<PinRun> {
  const { replication = -1, standIn, progress } = options
  const before = await standIn?.pins() ?? 0
  const latencies: number[] = []
  const sample = freshCid()
  let next = 0
  const start = performance.now()
  const timer = setInterval(() => { progress?.(`${latencies.length} of ${count} accepted`) }, 5000)
  try {
    await onConnections(base, clients, async (connection) => {
      while (next < count) {
        const cid = next++ === 0 ? sample : freshCid()
        const { status, text, total } = await connection.ask('POST', `/pins/ipfs/${cid}?name=bench&replication-min=${replication}&replication-max=${replication}`)
        if (status !== 200) throw new Error(`pin answered ${status}: ${text}`)
        latencies.push(total)
      }
    })
  } finally { clearInterval(timer) }
  const accepted = performance.now() - start
  await untilPinned(base, before + count, options)
  const pinned = performance.now() - start
  return { acceptedPerSecond: count / accepted * 1000, pinnedPerSecond: count / pinned * 1000, p50: median(latencies), p99: quantile(latencies, 0.99), sample }
}

function * multipart (bytes: number, boundary: string): Iterable<Uint8Array> {
  yield Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="bench"\r\nContent-Type: application/octet-stream\r\n\r\n`)
  for (let left = bytes; left > 0; left -= 1 << 18) yield randomBytes(Math.min(left, 1 << 18))
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

/** MiB/s of one `add` of random bytes. */
export async function addRun (base: string, mebibytes: number, local: boolean): Promise<number> {
  const boundary = 'bench-boundary'
  const answer = await call(base, 'POST', `/add?local=${local}&stream-channels=true&raw-leaves=true&cid-version=1`, multipart(mebibytes << 20, boundary), { 'content-type': `multipart/form-data; boundary=${boundary}` })
  if (answer.status !== 200 || answer.lines === 0) throw new Error(`add answered ${answer.status}: ${answer.body}`)
  return mebibytes / answer.total * 1000
}
