import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { byteStream, streamPair } from '@libp2p/utils'
import { expect, it } from 'vitest'
import { BandwidthCounter } from '../../src/transport/bandwidth.ts'
import { Libp2pByteStream } from '../../src/transport/libp2p-stream.ts'

it('keeps a request that came together with its negotiation and its end', async () => {
  const [near, far] = await streamPair()
  const negotiation = byteStream(far)
  near.send(Uint8Array.of(1, 2, 3, 4, 5))
  const closed = new Promise((resolve) => { far.addEventListener('end', resolve, { once: true }) })
  expect((await negotiation.read({ bytes: 2 })).subarray()).toEqual(Uint8Array.of(1, 2))
  await near.close()
  await closed
  negotiation.unwrap()
  const stream = new Libp2pByteStream(far, peerIdFromPrivateKey(await generateKeyPair('Ed25519')), new BandwidthCounter(() => 0).counter('test'))
  const received: number[] = []
  for await (const bytes of stream.source) received.push(...bytes)
  expect(received).toEqual([3, 4, 5])
})
