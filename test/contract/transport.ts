/** What every Transport does, whatever carries it. */
import type { ByteStream, PubSubMessage, Transport } from '../../src/transport/transport.ts'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { stopAll } from '../../src/component.ts'

/** Started transports that know how to reach each other, and nobody connected yet. */
export type OpenTransports = (count: number) => Promise<readonly Transport[]>

const protocol = '/pinswarm-test/1.0.0'
const bytes = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, index) => (index * 31) % 251)

async function collect (source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return new Uint8Array(await new Blob(parts as Array<Uint8Array<ArrayBuffer>>).arrayBuffer())
}

const echo = (stream: ByteStream): void => {
  void (async () => {
    for await (const part of stream.source) await stream.write(part)
    await stream.closeWrite()
  })().catch(() => {})
}

export interface TransportTraits {
  /** Whether a peer may dial in a process in which another has stopped to listen. @default true */
  readonly dialsAfterStop?: boolean | undefined
}

export function transportContract (name: string, open: OpenTransports, { dialsAfterStop = true }: TransportTraits = {}): void {
  async function openTwo (): Promise<readonly [Transport, Transport]> {
    const [one, other] = await openMany(2)
    if (one === undefined || other === undefined) throw new Error('two transports were asked for')
    return [one, other]
  }

  async function openMany (count: number): Promise<readonly Transport[]> {
    const transports = await open(count)
    onTestFinished(() => stopAll(transports))
    return transports
  }

  async function connectTwo (): Promise<readonly [Transport, Transport]> {
    const [one, other] = await openTwo()
    await one.connect(address(other))
    await vi.waitFor(() => { expect(other.connectedPeers().map(String)).toContain(one.peerId.toString()) })
    return [one, other]
  }

  const address = (transport: Transport) => {
    const [first] = transport.addresses()
    if (first === undefined) throw new Error('no address')
    return first
  }

  describe(`transport: ${name}`, () => {
    it('connects by address, tells both sides, and ends addresses in its peer id', async () => {
      const [one, other] = await openTwo()
      const seen: string[] = []
      one.onConnect((peer) => seen.push(`one ${peer.toString()}`))
      const silence = other.onConnect(() => seen.push('never'))
      silence()
      other.onConnect((peer) => seen.push(`other ${peer.toString()}`))
      expect(address(other).toString()).toMatch(new RegExp(`/p2p/${other.peerId.toString()}$`))
      expect((await one.connect(address(other))).equals(other.peerId)).toBe(true)
      await vi.waitFor(() => { expect(seen.toSorted()).toEqual([`one ${other.peerId.toString()}`, `other ${one.peerId.toString()}`]) })
      expect(one.connectedPeers().map(String)).toEqual([other.peerId.toString()])
      expect((await one.addressesOf([other.peerId])).map(String)).toContain(address(other).toString())
    })

    it.skipIf(!dialsAfterStop)('says when a member is gone', async () => {
      const [one, other] = await connectTwo()
      const gone: string[] = []
      one.onDisconnect((peer) => gone.push(peer.toString()))
      await other.stop()
      await vi.waitFor(() => { expect(gone).toEqual([other.peerId.toString()]) })
      expect(one.connectedPeers()).toEqual([])
      await expect(one.openStream(other.peerId, protocol, { signal: AbortSignal.timeout(5000) })).rejects.toThrow()
    })

    it('carries bytes both ways and ends each direction on its own', async () => {
      const [one, other] = await connectTwo()
      await other.handle(protocol, echo)
      const stream = await one.openStream(other.peerId, protocol)
      expect(stream.remotePeer.equals(other.peerId)).toBe(true)
      const sent = bytes(3_000_000)
      const received = collect(stream.source)
      await stream.write(sent)
      expect(stream.closed.aborted).toBe(false)
      await stream.closeWrite()
      expect(await received).toEqual(sent)
      await vi.waitFor(() => { expect(stream.closed.aborted).toBe(true) })
      await expect(stream.write(sent)).rejects.toThrow()
    })

    it('lets the remote answer after our side is closed', async () => {
      const [one, other] = await connectTwo()
      await other.handle(protocol, (stream) => {
        void (async () => {
          const question = await collect(stream.source)
          await stream.write(question.toReversed())
          await stream.closeWrite()
        })()
      })
      const stream = await one.openStream(other.peerId, protocol)
      await stream.write(Uint8Array.of(1, 2, 3))
      await stream.closeWrite()
      expect(await collect(stream.source)).toEqual(Uint8Array.of(3, 2, 1))
    })

    it('holds a writer back while nobody reads, and loses nothing', async () => {
      const [one, other] = await connectTwo()
      const accepted = Promise.withResolvers<ByteStream>()
      await other.handle(protocol, accepted.resolve)
      const stream = await one.openStream(other.peerId, protocol)
      const part = bytes(100_000)
      const parts = 400
      let written = 0
      const writing = (async () => {
        for (let index = 0; index < parts; index++) {
          await stream.write(part)
          written++
        }
        await stream.closeWrite()
      })()
      const remote = await accepted.promise
      let before = -1
      await vi.waitFor(() => {
        const now = written
        const still = now === before
        before = now
        expect(still && now > 0).toBe(true)
      }, { interval: 200, timeout: 20_000 })
      expect(written).toBeLessThan(parts / 2)
      const received = await collect(remote.source)
      await writing
      expect(received.byteLength).toBe(part.byteLength * parts)
      expect(received.subarray(-part.byteLength)).toEqual(part)
    })

    it('ends a waiting write by its signal', async () => {
      const [one, other] = await connectTwo()
      await other.handle(protocol, () => {})
      const stream = await one.openStream(other.peerId, protocol)
      const abort = new AbortController()
      const writing = (async () => { while (true) await stream.write(bytes(100_000), { signal: abort.signal }) })()
      setTimeout(() => { abort.abort(new Error('enough')) }, 300)
      await expect(writing).rejects.toThrow('enough')
    })

    it('shows a reset to the other side', async () => {
      const [one, other] = await connectTwo()
      const accepted = Promise.withResolvers<ByteStream>()
      await other.handle(protocol, accepted.resolve)
      const stream = await one.openStream(other.peerId, protocol)
      await stream.write(Uint8Array.of(1))
      const remote = await accepted.promise
      const reading = collect(remote.source)
      stream.abort(new Error('changed our mind'))
      await expect(reading).rejects.toMatchObject({ name: 'StreamResetError' })
      await expect(collect(stream.source)).rejects.toThrow('changed our mind')
      await vi.waitFor(() => { expect([stream.closed.aborted, remote.closed.aborted]).toEqual([true, true]) })
      await expect(remote.write(Uint8Array.of(1))).rejects.toThrow()
    })

    it('resets streams when the connection goes', async () => {
      const [one, other] = await connectTwo()
      await other.handle(protocol, () => {})
      const stream = await one.openStream(other.peerId, protocol)
      await stream.write(Uint8Array.of(1))
      const reading = collect(stream.source)
      reading.catch(() => {})
      await other.stop()
      await expect(reading).rejects.toThrow()
      expect(stream.closed.aborted).toBe(true)
    })

    it('refuses a protocol nobody serves, also after it was taken back', async () => {
      const [one, other] = await connectTwo()
      await expect(one.openStream(other.peerId, protocol)).rejects.toMatchObject({ name: 'UnsupportedProtocolError' })
      await other.handle(protocol, echo)
      await (await one.openStream(other.peerId, protocol)).closeWrite()
      await other.unhandle(protocol)
      await expect(one.openStream(other.peerId, protocol)).rejects.toMatchObject({ name: 'UnsupportedProtocolError' })
    })

    it('serves many streams at once', async () => {
      const [one, other] = await connectTwo()
      await other.handle(protocol, echo)
      const answers = await Promise.all(Array.from({ length: 200 }, async (_, index) => {
        const stream = await one.openStream(other.peerId, protocol)
        await stream.write(Uint8Array.of(index))
        await stream.closeWrite()
        return (await collect(stream.source))[0]
      }))
      expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => index))
    })

    it('counts bytes by protocol', async () => {
      const [one, other] = await connectTwo()
      await other.handle(protocol, echo)
      const stream = await one.openStream(other.peerId, protocol)
      await stream.write(bytes(1000))
      await stream.closeWrite()
      await collect(stream.source)
      expect(one.bandwidth().get(protocol)).toMatchObject({ totalIn: 1000n, totalOut: 1000n })
      expect(other.bandwidth().get(protocol)).toMatchObject({ totalIn: 1000n, totalOut: 1000n })
    })

    it('broadcasts to subscribers across members, and never back to the author', async () => {
      const [one, middle, other] = await openMany(3)
      if (one === undefined || middle === undefined || other === undefined) throw new Error('three transports were asked for')
      const heard: string[] = []
      const note = (who: string) => ({ from, data }: PubSubMessage): void => { heard.push(`${who}: ${data[0]} from ${from.toString()}`) }
      for (const [who, transport] of Object.entries({ one, middle, other })) transport.pubsub.subscribe('topic', note(who))
      await one.connect(address(middle))
      await other.connect(address(middle))
      let number = 0
      await vi.waitFor(async () => {
        await one.pubsub.publish('topic', Uint8Array.of(++number))
        expect(heard.filter((line) => line.startsWith('other')).length).toBeGreaterThan(0)
      }, { timeout: 20_000, interval: 200 })
      expect(heard.filter((line) => line.startsWith('one'))).toEqual([])
      expect(heard.every((line) => line.endsWith(one.peerId.toString()))).toBe(true)
      expect(new Set(heard).size).toBe(heard.length)
    })

    it('neither delivers nor forwards what a validator refuses', async () => {
      const [one, middle, other] = await openMany(3)
      if (one === undefined || middle === undefined || other === undefined) throw new Error('three transports were asked for')
      const heard: string[] = []
      middle.pubsub.subscribe('topic', ({ data }) => heard.push(`middle ${data[0]}`), ({ from, data }) => from.equals(one.peerId) && data[0] !== 0)
      other.pubsub.subscribe('topic', ({ data }) => heard.push(`other ${data[0]}`))
      await one.connect(address(middle))
      await other.connect(address(middle))
      await vi.waitFor(async () => {
        await one.pubsub.publish('topic', Uint8Array.of(0))
        await one.pubsub.publish('topic', Uint8Array.of(1))
        expect(heard).toContain('other 1')
        expect(heard).toContain('middle 1')
      }, { timeout: 20_000, interval: 200 })
      expect(heard.filter((line) => line.endsWith('0'))).toEqual([])
    })

    it('publishes to nobody without complaint, and not to who left the topic', async () => {
      const [one, other] = await connectTwo()
      await one.pubsub.publish('empty', Uint8Array.of(1))
      const heard: Array<number | undefined> = []
      const leave = other.pubsub.subscribe('topic', ({ data }) => heard.push(data[0]))
      const kept: Array<number | undefined> = []
      other.pubsub.subscribe('topic', ({ data }) => kept.push(data[0]))
      let number = 0
      await vi.waitFor(async () => {
        await one.pubsub.publish('topic', Uint8Array.of(++number))
        expect(heard.length).toBeGreaterThan(0)
      }, { timeout: 20_000, interval: 200 })
      leave()
      const before = heard.length
      await one.pubsub.publish('topic', Uint8Array.of(200))
      await vi.waitFor(() => { expect(kept).toContain(200) })
      expect(heard.length).toBe(before)
    })

    it.skipIf(!dialsAfterStop)('reports an unreachable peer, and a signal that fires', async () => {
      const [one, other, third] = await openMany(3)
      if (one === undefined || other === undefined || third === undefined) throw new Error('three transports were asked for')
      const where = address(other)
      await other.stop()
      await expect(one.connect(where, { signal: AbortSignal.timeout(10_000) })).rejects.toThrow()
      await expect(one.connect(address(third), { signal: AbortSignal.abort(new Error('no time')) })).rejects.toThrow()
    })

    it('stops twice without complaint', async () => {
      const [one] = await openTwo()
      await one.stop()
      await one.stop()
      expect(one.connectedPeers()).toEqual([])
    })
  })
}
