import { peerIdFromString } from '@libp2p/peer-id'
import { base16 } from 'multiformats/bases/base16'
import { expect, it } from 'vitest'
import { messageId } from '../../src/transport/message-id.ts'
import vectors from '../vectors/wire/pubsub.json' with { type: 'json' }

it.each([['broadcast', vectors.crdt_broadcast], ['metric', vectors.metric]])('gives the id of the golden %s', (_, vector) => {
  const sequenceNumber = BigInt(`0x${vector.seqno_hex}`)
  expect(base16.baseEncode(messageId(peerIdFromString(vectors.from_peer_id), sequenceNumber))).toBe(vector.message_id_hex)
})
