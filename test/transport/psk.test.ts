import type { MultiaddrConnection, MessageStream } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { describe, expect, it, vi } from 'vitest'
import { pnetProtector } from '../../src/transport/pnet.ts'
import { connectionProtector } from '../../src/transport/protector.ts'
import { pskProtector, type ProtectorFactory } from '../../src/transport/psk.ts'

const secret = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const opening = new TextEncoder().encode('\u0013/multistream/1.0.0\n')

/** Both ends of one protected connection. */
async function protectedPair (one: ProtectorFactory, other: ProtectorFactory, secrets = [secret(1), secret(1)], onDifferentSecret?: (end: string) => void) {
  const [near, far] = multiaddrConnectionPair()
  const protect = (factory: ProtectorFactory, index: number, connection: MultiaddrConnection) =>
    factory({ secret: secrets[index] ?? secret(0), onDifferentSecret: (_, direction) => onDifferentSecret?.(direction) })().protect(connection)
  return { ends: await Promise.all([protect(one, 0, near), protect(other, 1, far)]), raw: [near, far] as const }
}

const received = (end: MessageStream): number[] => {
  const bytes: number[] = []
  end.addEventListener('message', ({ data }) => { bytes.push(...data.subarray()) })
  return bytes
}

describe.each([['ours and ours', pskProtector, pskProtector], ['ours and @libp2p/pnet', pskProtector, pnetProtector], ['@libp2p/pnet and ours', pnetProtector, pskProtector]])('%s', (_, one, other) => {
  it('carries the same bytes both ways, and none of them in clear', async () => {
    const { ends: [near, far], raw } = await protectedPair(one, other)
    const [atNear, atFar, wire] = [received(near), received(far), received(raw[1])]
    const sent: number[] = []
    for (let size = 1; size < 3000; size = size * 3 + 1) {
      const part = Uint8Array.from({ length: size }, (__, index) => (index * size) & 0xff)
      const message = size === 1 ? opening : part
      sent.push(...message)
      near.send(message)
      far.send(message)
    }
    await vi.waitFor(() => { expect([atNear, atFar]).toEqual([sent, sent]) })
    expect(new TextDecoder('latin1').decode(Uint8Array.from(wire))).not.toContain('multistream')
  })

  it('closes and resets with the connection below', async () => {
    const { ends: [near, far], raw } = await protectedPair(one, other)
    await near.close()
    await vi.waitFor(() => { expect([far.status, raw[0].status, raw[1].status]).toEqual(['closed', 'closed', 'closed']) })
    const second = await protectedPair(one, other)
    second.ends[0].abort(new Error('enough'))
    await vi.waitFor(() => { expect([second.ends[1].status, second.raw[0].status]).toEqual(['reset', 'aborted']) })
  })
})

it('tells another secret at the first bytes, on both ends', async () => {
  const told: string[] = []
  const { ends } = await protectedPair(pskProtector, pskProtector, [secret(1), secret(2)], (direction) => told.push(direction))
  const reasons: unknown[] = []
  for (const end of ends) end.addEventListener('close', (event) => { reasons.push(event.error?.name) })
  for (const end of ends) received(end)
  ends[0].send(opening)
  await vi.waitFor(() => { expect(reasons.length).toBe(2) })
  expect(reasons).toContain('DifferentSecretError')
  expect(told.length).toBeGreaterThan(0)
})

it('tells a peer without any secret', async () => {
  const [near, far] = multiaddrConnectionPair()
  const told: string[] = []
  const protecting = pskProtector({ secret: secret(1), onDifferentSecret: (_, direction) => told.push(direction) })().protect(near)
  far.send(opening)
  far.send(new TextEncoder().encode('\u0007/noise\n'))
  await protecting
  await vi.waitFor(() => { expect([told, near.status]).toEqual([['outbound'], 'aborted']) })
})

it('does not wait for a nonce forever, nor after its signal', async () => {
  const [near] = multiaddrConnectionPair()
  await expect(pskProtector({ secret: secret(1), timeout: 20 })().protect(near)).rejects.toMatchObject({ name: 'TimeoutError' })
  const [another] = multiaddrConnectionPair()
  await expect(pskProtector({ secret: secret(1) })().protect(another, { signal: AbortSignal.abort(new Error('no time')) })).rejects.toThrow()
})

it('is the one that guards the swarm', () => {
  expect(connectionProtector).toBe(pskProtector)
})
