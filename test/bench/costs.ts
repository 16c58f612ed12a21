/** `npm run bench -- --costs`: what nobody can go below on this machine, one thing at a time: signature, hash, fsync, round trip. */
import { once } from 'node:events'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { openLevelStore } from '../../node/store/level-store.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { decodePin, encodePin } from '../../src/pin/pin-proto.ts'
import { CID } from 'multiformats/cid'
import { Connection } from './connection.ts'
import { freshCid, quantile } from './load.ts'

export interface Cost { readonly what: string, readonly p50: number, readonly p99: number }

/** Microseconds of each of `times` runs, after as many to warm up as a tenth. */
async function timed (what: string, times: number, run: (index: number) => unknown): Promise<Cost> {
  for (let index = 0; index < times / 10; index++) await run(index)
  const all: number[] = []
  for (let index = 0; index < times; index++) {
    const start = performance.now()
    const pending = run(index)
    if (pending instanceof Promise) await pending
    all.push((performance.now() - start) * 1000)
  }
  return { what, p50: quantile(all, 0.5), p99: quantile(all, 0.99) }
}

async function processorCosts (): Promise<readonly Cost[]> {
  const key = await generateKeyPair('Ed25519')
  const message = randomBytes(300)
  const signature = await key.sign(message)
  const pin = pinWith(CID.parse(freshCid()), { name: 'bench', replicationFactorMin: -1, replicationFactorMax: -1 })
  const bytes = encodePin(pin)
  const block = randomBytes(1 << 18)
  return [
    await timed('signature of 300 bytes, Ed25519', 2000, () => key.sign(message)),
    await timed('its verification', 2000, () => key.publicKey.verify(message, signature)),
    await timed('SHA-256 of 300 bytes', 5000, () => createHash('sha256').update(message).digest()),
    await timed('SHA-256 of 256 KiB', 500, () => createHash('sha256').update(block).digest()),
    await timed('a pin to protobuf', 5000, () => encodePin(pin)),
    await timed('a pin from protobuf', 5000, () => decodePin(bytes))
  ]
}

async function diskCosts (folder: string): Promise<readonly Cost[]> {
  const file = await open(join(folder, 'appended'), 'a')
  const record = randomBytes(4096)
  const append = async (): Promise<void> => { await file.write(record); await file.datasync() }
  const costs = [await timed('4 KiB appended and fdatasync', 500, append)]
  await file.close()
  for (const sync of [false, true]) {
    const store = await openLevelStore(join(folder, `store-${sync}`), { sync })
    const batch = async (index: number): Promise<void> => { await store.batch([1, 2, 3].map((part) => ({ type: 'put', key: `key-${part}-${index}`, value: record.subarray(0, 400) }))) }
    costs.push(await timed(`LevelDB batch of three${sync ? ', synced' : ', not synced'}`, sync ? 500 : 5000, batch))
    if (!sync) costs.push(await timed('LevelDB look-up', 5000, async (index) => await store.get(`key-1-${index}`)))
    await store.close()
  }
  return costs
}

/** Answers every line with an HTTP answer of no content: a server that does nothing. */
export function serveNothing (listening: (port: number) => void): void {
  const server = createServer((socket) => { socket.setNoDelay(true).on('data', () => { socket.write('HTTP/1.1 204 No Content\r\n\r\n') }) })
  server.listen(0, '127.0.0.1', () => { listening((server.address() as AddressInfo).port) })
}

async function networkCosts (): Promise<readonly Cost[]> {
  const worker = new Worker(`import(${JSON.stringify(import.meta.url)}).then(({ serveNothing }) => serveNothing((port) => require('node:worker_threads').parentPort.postMessage(port)))`, { eval: true })
  const [port] = await once(worker, 'message') as [number]
  const connection = await Connection.open(`http://127.0.0.1:${port}`)
  try {
    return [await timed('round trip on loopback, to another thread', 5000, async () => { await connection.ask('GET', '/') })]
  } finally {
    connection.close()
    await worker.terminate()
  }
}

/** Everything, in µs, as lines to print. */
export async function costLines (): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-costs-'))
  try {
    const costs = [...await processorCosts(), ...await diskCosts(folder), ...await networkCosts()]
    return costs.map(({ what, p50, p99 }) => `${what.padEnd(44)} p50 ${p50.toFixed(1).padStart(8)} µs   p99 ${p99.toFixed(1).padStart(8)} µs`)
  } finally { await rm(folder, { recursive: true }) }
}
