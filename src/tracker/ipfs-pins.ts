/** The pins of an IPFS while a listing runs: 17 bytes a pin, because there may be millions. */
import type { IpfsPinStatus } from '../ipfs/ipfs.ts'
import { keyToCid } from '../pin/keys.ts'
import type { CID } from 'multiformats/cid'

const bits = { recursive: 1, direct: 2, indirect: 0, unpinned: 0 } as const satisfies Record<IpfsPinStatus, number>
const words = 4
const tailLength = words * 4
/** Keys of CIDs with a SHA-256: of version 0, and raw, dag-pb or dag-cbor of version 1. Most are, and need no decoding. */
const usual = /^\/(?:CIQ[A-Z2-7]{53}|AF(?:KREI|YBEI|YREI)[A-Z2-7]{52})$/
/** The first letter in which usual keys of different kinds differ, and what it adds. */
const kindLetters: Readonly<Record<string, number>> = { '/CIQ': 0, '/AFK': 1, '/AFYB': 2, '/AFYR': 3 }
/** Characters of base32 in one word: 30 bits. */
const charactersPerWord = 6

/** CIDs and how they are pinned. A digest's last 16 bytes stand for it; digests that are shorter or not cryptographic are kept whole. */
export class IpfsPins {
  #capacity = 1024
  #size = 0
  #keys = new Uint32Array(this.#capacity * words)
  #kinds = new Uint8Array(this.#capacity)
  readonly #odd = new Map<string, number>()
  readonly #scratch = new Uint32Array(words)

  /** `key`: of the pin (`cidKey`). */
  add (key: string, status: IpfsPinStatus): void {
    const kind = bits[status]
    if (kind === 0) return
    if (!this.#stands(key)) {
      this.#odd.set(key, (this.#odd.get(key) ?? 0) | kind)
      return
    }
    if (this.#size * 3 >= this.#capacity * 2) this.#grow()
    this.#insert(this.#scratch, kind)
  }

  /** True when the pin with this key is held the way a pin of this depth wants it (partial depths count as recursive). */
  has (key: string, maxDepth: number): boolean {
    const wanted = maxDepth === 0 ? bits.direct : bits.recursive
    const kind = this.#stands(key) ? this.#kinds[this.#slot(this.#scratch)] : this.#odd.get(key)
    return ((kind ?? 0) & wanted) !== 0
  }

  /** Fills the scratch words; false for keys that only stand for themselves. */
  #stands (key: string): boolean {
    if (!usual.test(key)) return this.#fingerprint(keyToCid(key))
    const kind = kindLetters[key.slice(0, 4)] ?? kindLetters[key.slice(0, 5)] ?? 0
    let at = key.length - words * charactersPerWord
    for (let index = 0; index < words; index++) {
      let word = index === 0 ? kind : 0
      for (const end = at + charactersPerWord; at < end; at++) {
        const code = key.charCodeAt(at)
        word = word << 5 | (code < 65 ? code - 24 : code - 65)
      }
      this.#scratch[index] = word
    }
    return true
  }

  /** The same by the CID. False for digests that cannot stand for themselves in 16 bytes. */
  #fingerprint ({ bytes, multihash, version, code }: CID): boolean {
    if (multihash.code === 0 || multihash.size < tailLength) return false
    const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - tailLength, tailLength)
    for (let index = 0; index < words; index++) this.#scratch[index] = view.getUint32(index * 4)
    const kind = Math.imul(version + 1, 0x9e3779b1) ^ Math.imul(code, 0x85ebca6b) ^ Math.imul(multihash.code, 0xc2b2ae35) ^ multihash.size
    this.#scratch[0] = (this.#scratch[0] ?? 0) ^ kind
    return true
  }

  /** Where the key is, or the free slot where it goes. */
  #slot (key: Uint32Array): number {
    const mask = this.#capacity - 1
    let slot = (key[3] ?? 0) & mask
    while (this.#kinds[slot] !== 0 && !this.#holds(slot, key)) slot = (slot + 1) & mask
    return slot
  }

  #holds (slot: number, key: Uint32Array): boolean {
    for (let index = 0; index < words; index++) if (this.#keys[slot * words + index] !== key[index]) return false
    return true
  }

  #insert (key: Uint32Array, kind: number): void {
    const slot = this.#slot(key)
    if (this.#kinds[slot] === 0) this.#size++
    this.#kinds[slot] = (this.#kinds[slot] ?? 0) | kind
    this.#keys.set(key, slot * words)
  }

  #grow (): void {
    const keys = this.#keys
    const kinds = this.#kinds
    this.#capacity *= 2
    this.#size = 0
    this.#keys = new Uint32Array(this.#capacity * words)
    this.#kinds = new Uint8Array(this.#capacity)
    for (const [slot, kind] of kinds.entries()) if (kind !== 0) this.#insert(keys.subarray(slot * words, (slot + 1) * words), kind)
  }
}
