/** CIDs as the API reads them, with the reference's error texts. */
import { base16 } from 'multiformats/bases/base16'
import { base32, base32hex, base32upper } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64, base64url } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import { errorText } from '../component.ts'
import { DecodeError } from '../errors.ts'

const bases = base32.decoder.or(base58btc.decoder).or(base16.decoder).or(base36.decoder).or(base32upper.decoder).or(base32hex.decoder).or(base64.decoder).or(base64url.decoder)
const prefixes = new Set<string>([base32, base58btc, base16, base36, base32upper, base32hex, base64, base64url].map((base) => base.prefix))

/** A CID in any usual base; DecodeError with the text that the API answers. */
export function decodeCid (text: string): CID {
  if (text.length < 2) throw new DecodeError('invalid cid: cid too short')
  const version0 = text.length === 46 && text.startsWith('Qm')
  if (!version0 && !prefixes.has(text.charAt(0))) throw new DecodeError('invalid cid: selected encoding not supported')
  try {
    return version0 ? CID.parse(text) : CID.parse(text, bases)
  } catch (cause) {
    throw new DecodeError(`invalid cid: ${errorText(cause)}`, { cause })
  }
}
