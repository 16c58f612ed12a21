/** `block/put` bodies: blocks that came while the last request ran go together in the next (rest-api.md §5.3). */
import { concat } from '../bytes.ts'
import type { Block } from './ipfs.ts'

/** Names as `cid-codec` and `mhtype` take them; others go by number. */
const codecNames: Readonly<Record<number, string>> = { 0x51: 'cbor', 0x55: 'raw', 0x70: 'dag-pb', 0x71: 'dag-cbor', 0x72: 'libp2p-key', 0x78: 'git-raw', 0x85: 'dag-jose', 0x129: 'dag-json', 0x200: 'json' }
const hashNames: Readonly<Record<number, string>> = { 0x12: 'sha2-256', 0x13: 'sha2-512', 0x14: 'sha3-512', 0x16: 'sha3-256', 0x1b: 'keccak-256', 0x1e: 'blake3', 0xb220: 'blake2b-256', 0xb240: 'blake2b-512' }
const nameOf = (names: Readonly<Record<number, string>>, code: number): string => names[code] ?? `0x${code.toString(16)}`

/**
 * The request path that stores blocks of this kind. A pin that waits for `Qm…` is not told of the same block stored as CIDv1 (which
 * `cid-codec=dag-pb` does), so version 0 is asked for by its own, older name.
 */
export const blockPutPath = ({ cid }: Block): string => `block/put?allow-big-block=true&${cid.version === 0 ? 'format=v0' : `cid-codec=${nameOf(codecNames, cid.code)}`}&mhlen=${cid.multihash.size}&mhtype=${nameOf(hashNames, cid.multihash.code)}&pin=false`

const utf8 = new TextEncoder()

/** One multipart body with all these blocks. The boundary is random: no block can be made to contain it. */
export function multipartOf (blocks: readonly Block[]): { readonly body: Uint8Array, readonly contentType: string } {
  const boundary = `pinswarm-${Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
  const head = utf8.encode(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="block"\r\nContent-Type: application/octet-stream\r\n\r\n`)
  const end = utf8.encode('\r\n')
  const parts = blocks.flatMap(({ bytes }) => [head, bytes, end])
  return { body: concat([...parts, utf8.encode(`--${boundary}--\r\n`)]), contentType: `multipart/form-data; boundary=${boundary}` }
}
