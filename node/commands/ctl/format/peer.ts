/** Text of `id` and `peers ls`. */
import { asList, asObject, asText } from '../../../../src/api/json/json.ts'
import type { Json, JsonObject } from '../../../../src/api/json/json.ts'

const texts = (value: Json | undefined, at: string): readonly string[] => asList(value, at).map((item) => asText(item, at)).toSorted()

export function formatPeer (peer: JsonObject): string {
  const id = asText(peer['id'], 'id')
  const error = asText(peer['error'], 'error')
  if (error !== '') return `${id} | ERROR: ${error}\n`
  const ipfs = asObject(peer['ipfs'] ?? {}, 'ipfs')
  const ipfsError = asText(ipfs['error'], 'ipfs.error')
  return [
    `${id} | ${asText(peer['peername'], 'peername')} | Sees ${asList(peer['cluster_peers'], 'cluster_peers').length - 1} other peers`,
    '  > Addresses:',
    ...texts(peer['addresses'], 'addresses').map((address) => `    - ${address}`),
    ...ipfsError === '' ? [`  > IPFS: ${asText(ipfs['id'], 'ipfs.id')}`, ...texts(ipfs['addresses'], 'ipfs.addresses').map((address) => `    - ${address}`)] : [`  > IPFS ERROR: ${ipfsError}`],
    ''
  ].join('\n')
}
