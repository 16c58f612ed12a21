/** Random bytes for content nobody has. */
import { randomBytes } from 'node:crypto'

export const freshBytes = (mebibytes: number): Array<Uint8Array<ArrayBuffer>> => Array.from({ length: mebibytes }, () => new Uint8Array(randomBytes(1 << 20)))
