/** Names of pins and blocks in the pinset (wire.md §3.1). */
import { base32upper } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import { errorText } from '../component.ts'
import { DecodeError } from '../errors.ts'

const maxKeyLength = 1024

/** Key of a pin: `/` and base32 (upper case, no padding) of the CID's bytes, exactly as pinned. */
export const cidKey = (cid: CID): string => '/' + base32upper.baseEncode(cid.bytes)

/** The CID a pin's key names. Throws DecodeError. */
export function keyToCid (key: string): CID {
  if (key.length > maxKeyLength || !key.startsWith('/')) throw new DecodeError('not a pin key')
  try {
    return CID.decode(base32upper.baseDecode(key.slice(1)))
  } catch (error) {
    throw new DecodeError(`not a pin key: ${errorText(error)}`, { cause: error })
  }
}

const base32Text = /^b[a-z2-7]+$/

/** Key of the pin of the CID that this text names. Throws DecodeError. */
export function textKey (cid: string): string {
  if (base32Text.test(cid)) return '/' + cid.slice(1).toUpperCase()
  try {
    return cidKey(CID.parse(cid))
  } catch (error) {
    throw new DecodeError(`not a CID: ${errorText(error)}`, { cause: error })
  }
}

/** Bytes of the CID that this text names: what `CID.parse` would give, without the rest of it for the usual base. Throws DecodeError. */
export function textBytes (cid: string): Uint8Array {
  if (!base32Text.test(cid)) {
    try {
      return CID.parse(cid).bytes
    } catch (error) {
      throw new DecodeError(`not a CID: ${errorText(error)}`, { cause: error })
    }
  }
  const bytes = new Uint8Array((cid.length - 1) * 5 >> 3)
  let bits = 0
  let held = 0
  for (let at = 1, to = 0; at < cid.length; at++) {
    const code = cid.charCodeAt(at)
    held = (held << 5 | (code < 97 ? code - 24 : code - 97)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[to++] = held >> bits
  }
  return bytes
}

/** Id of a block: `/` and base32 of its multihash; codec and CID version do not count. */
export const multihashKey = (cid: CID): string => '/' + base32upper.baseEncode(cid.multihash.bytes)
