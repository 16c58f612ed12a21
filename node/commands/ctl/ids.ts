/** Identifiers in arguments, checked before anything is asked. */
import { decodeCid } from '../../../src/api/cid.ts'
import { errorText } from '../../../src/component.ts'
import { UsageError } from './command.ts'

/** The text of a CID. */
export function parseCid (text: string): string {
  try { return decodeCid(text).toString() } catch (cause) { throw new UsageError(`error parsing cid: ${errorText(cause)}`, { cause }) }
}

/** A path of the API for a CID, `<CID>/path` or `/ipfs/…`. */
export function parseTarget (text: string): string {
  const path = text.startsWith('/') ? text : `/ipfs/${text}`
  const [, namespace = '', root = ''] = path.split('/')
  const invalid = (reason: string): UsageError => new UsageError(`error : invalid path ${JSON.stringify(path)}: ${reason}`)
  if (!['ipfs', 'ipns', 'ipld'].includes(namespace)) throw invalid('unknown namespace')
  if (root === '') throw invalid('path does not have enough components')
  if (namespace === 'ipns') return path
  try { decodeCid(root) } catch (cause) { throw invalid(errorText(cause)) }
  return path
}

const base58 = /^(?:1[1-9A-HJ-NP-Za-km-z]{8,}|Qm[1-9A-HJ-NP-Za-km-z]{44})$/

/** The text of a peer ID: base58, or a CID of its key. */
export function parsePeer (text: string, doing: string): string {
  if (base58.test(text)) return text
  try { return decodeCid(text).toString() } catch (cause) { throw new UsageError(`error ${doing}: failed to parse peer ID: ${errorText(cause)}`, { cause }) }
}

/** Peer IDs of a comma list. */
export const parsePeers = (list: string): readonly string[] => list.split(',').map((each) => each.trim()).filter((each) => each !== '').map((each) => parsePeer(each, 'decoding allocations'))
