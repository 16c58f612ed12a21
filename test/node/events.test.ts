/** `GET /events` on Node's HTTP server: at once, bounded for who does not read, over at stop. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { CID } from 'multiformats/cid'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createHttpServer } from '../../node/http/server.ts'
import { createApi } from '../../src/api/api.ts'
import { ClusterClient } from '../../src/api/client.ts'
import type { ApiEvent } from '../../src/api/client.ts'
import { silentLogger } from '../../src/component.ts'
import { alpha, MemoryCluster } from '../api/memory-cluster.ts'

const cid = CID.parse('bafkreibpmsjuqdvcgjat6job2dyepgswvawrnlda6vlolommnivog6v5ky')

async function serve () {
  const cluster = new MemoryCluster()
  const server = createHttpServer({ api: createApi(cluster), logger: silentLogger }, { listen: ['/ip4/127.0.0.1/tcp/0'], accessLog: () => {}, stopTimeout: 60_000 })
  await server.start()
  onTestFinished(async () => { await server.stop() })
  const port = Number(server.addresses()[0]?.split('/')[4])
  return { cluster, server, port, client: new ClusterClient({ url: `http://127.0.0.1:${port}` }) }
}

test('each event is there at once, and the stream ends with the server', async () => {
  const { cluster, server, client } = await serve()
  const events: ApiEvent[] = []
  const reading = (async () => { for await (const event of client.events()) events.push(event) })()
  await vi.waitFor(() => { expect(cluster.listeners).toBeGreaterThan(0) })
  for (let count = 1; count <= 3; count++) {
    cluster.emitter.emit('peer:connected', alpha)
    await vi.waitFor(() => { expect(events).toHaveLength(count) })
  }
  // The server would wait a minute for an answer that does not end.
  await server.stop()
  await reading
  expect(cluster.listeners).toBe(0)
})

test('a client that goes away is forgotten', async () => {
  const { cluster, client } = await serve()
  const abort = new AbortController()
  const reading = (async () => { for await (const event of client.events({ signal: abort.signal })) throw new Error(event.type) })()
  await vi.waitFor(() => { expect(cluster.listeners).toBeGreaterThan(0) })
  abort.abort(new Error('seen enough'))
  await expect(reading).rejects.toThrow('seen enough')
  await vi.waitFor(() => { expect(cluster.listeners).toBe(0) })
})

/** Reads until the text is there. */
async function until (socket: Socket, text: string): Promise<string> {
  let seen = ''
  for await (const data of socket) {
    seen += String(data)
    if (seen.includes(text)) break
  }
  return seen
}

test('who does not read is told how much it missed, and nothing piles up', async () => {
  const { cluster, port } = await serve()
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  socket.write('GET /events?types=pin:removed HTTP/1.1\r\nHost: x\r\n\r\n')
  await vi.waitFor(() => { expect(cluster.listeners).toBe(1) })
  socket.pause()
  const before = process.memoryUsage().arrayBuffers
  // A little in each turn of the loop, 30 MB in all.
  for (let round = 0; round < 3_000; round++) {
    for (let count = 0; count < 100; count++) cluster.emitter.emit('pin:removed', cid)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20)
  expect(await until(socket, 'event: events:dropped')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  socket.destroy()
  await vi.waitFor(() => { expect(cluster.listeners).toBe(0) })
})
