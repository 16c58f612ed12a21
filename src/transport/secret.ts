/** The cluster secret: 64 hex characters that close the swarm (wire.md §1.1). */
import { base16 } from 'multiformats/bases/base16'
import { InvalidConfigError } from '../errors.ts'

/** The 32 bytes of `cluster.secret`; undefined for the empty string, which means no private network. The text never gets into the error. */
export function parseSecret (hex: string): Uint8Array | undefined {
  if (hex === '') return undefined
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) throw new InvalidConfigError('cluster.secret', `must be 64 hexadecimal characters (32 bytes), not ${hex.length}${/^[0-9a-fA-F]*$/.test(hex) ? '' : ' with others among them'}`)
  return base16.baseDecode(hex.toLowerCase())
}
