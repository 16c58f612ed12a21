/** The two loads under which @libp2p/pnet 3.0.27 dies or stalls; src/transport/protector.ts says why it is not used. */
import type { ByteStream } from '../../src/transport/transport.ts'
import type { Libp2pTransport } from '../../src/transport/libp2p.ts'
import { createHash } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { stopAll } from '../../src/component.ts'
import { newMember, webSocketListen } from './network.ts'

const protocol = '/pinswarm-test/bulk/1.0.0'

async function started (count: number, options: Parameters<typeof newMember>[0] = {}): Promise<readonly [Libp2pTransport, ...Libp2pTransport[]]> {
  const members = await Promise.all(Array.from({ length: count }, async () => await newMember(options)))
  onTestFinished(() => stopAll(members))
  for (const member of members) await member.start()
  return members as [Libp2pTransport, ...Libp2pTransport[]]
}

/** Hands back what it gets. */
const echo = (stream: ByteStream): void => {
  void (async () => { for await (const bytes of stream.source) await stream.write(bytes) })().catch(() => {})
}

/** Writes and waits until as many bytes came back. */
async function roundTrip (stream: ByteStream, back: AsyncIterator<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writing = stream.write(bytes)
  for (let missing = bytes.byteLength; missing > 0;) {
    const { value, done } = await back.next() as IteratorResult<Uint8Array, undefined>
    if (done === true) throw new Error('the stream ended early')
    missing -= value.byteLength
  }
  await writing
}

it('survives a large message and then a thousand alternations between connections', async () => {
  const [hub, ...spokes] = await started(4)
  await hub.handle(protocol, echo)
  const [address] = hub.addresses()
  if (address === undefined) throw new Error('no address')
  const streams = await Promise.all(spokes.map(async (spoke) => await spoke.openStream(await spoke.connect(address), protocol)))
  const pairs = streams.map((stream) => ({ stream, back: stream.source[Symbol.asyncIterator]() }))
  const [first] = pairs
  if (first === undefined) throw new Error('no stream')
  await roundTrip(first.stream, first.back, new Uint8Array(900_000))
  const small = new Uint8Array(1000).fill(7)
  for (let round = 0; round < 1100; round++) {
    const pair = pairs[round % pairs.length]
    if (pair !== undefined) await roundTrip(pair.stream, pair.back, small)
  }
  expect(hub.bandwidth().get(protocol)?.totalIn).toBe(900_000n + 1100n * 1000n)
})

it.each([['WebSocket', { listen: webSocketListen }], ['TCP', {}]])('carries 40 MB over %s in order', async (_, options) => {
  const [one, other] = await started(2, options)
  if (other === undefined) throw new Error('two members were asked for')
  const received = Promise.withResolvers<{ size: number, digest: string }>()
  await other.handle(protocol, (stream) => {
    void (async () => {
      const hash = createHash('sha256')
      let size = 0
      for await (const bytes of stream.source) {
        hash.update(bytes)
        size += bytes.byteLength
      }
      return { size, digest: hash.digest('hex') }
    })().then(received.resolve, received.reject)
  })
  const [address] = other.addresses()
  if (address === undefined) throw new Error('no address')
  const stream = await one.openStream(await one.connect(address), protocol)
  const part = new Uint8Array(10_000_000).map((__, index) => (index * 2_654_435_761) >>> 24)
  const hash = createHash('sha256')
  for (let count = 0; count < 4; count++) {
    hash.update(part)
    await stream.write(part)
  }
  await stream.closeWrite()
  expect(await received.promise).toEqual({ size: 40_000_000, digest: hash.digest('hex') })
})
