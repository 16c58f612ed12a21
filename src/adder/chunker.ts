/** Chunkers by name (rest-api.md §5): `size-N`, `rabin`, `rabin-avg`, `rabin-min-avg-max`, `buzhash`. Error texts are those of Go. */
import { buzhash } from './buzhash.ts'
import { rabin } from './rabin.ts'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import type { Chunker } from 'ipfs-unixfs-importer/chunker'

/** Biggest chunk, in bytes. */
const maxChunkSize = 1024 * 1024
const defaultChunkSize = 256 * 1024

/** A chunker that nobody knows, or with sizes that it cannot have. */
export class ChunkerError extends Error {
  override name = 'ChunkerError'
}

const numberIn = (text: string): number => {
  if (!/^\d{1,12}$/.test(text)) throw new ChunkerError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

function sized (text: string): Chunker {
  const chunkSize = numberIn(text)
  if (chunkSize === 0) throw new ChunkerError('chunker size must be greater than 0')
  if (chunkSize > maxChunkSize) throw new ChunkerError(`chunker parameters may not exceed the maximum chunk size of ${maxChunkSize}`)
  return fixedSize({ chunkSize })
}

/** Go's rabin chunker takes a third of the average as minimum and half of it more as maximum. */
function rabinBy (parts: readonly string[]): Chunker {
  const numbers = parts.map((part) => numberIn(part.split(':').at(-1) ?? ''))
  const [first = defaultChunkSize, average = first, most = Math.floor(average * 3 / 2)] = numbers
  const least = numbers.length < 2 ? Math.floor(first / 3) : first
  if (numbers.length === 2 || numbers.length > 3) throw new ChunkerError('incorrect format (expected "rabin" "rabin-[avg]" or "rabin-[min]-[avg]-[max]"')
  if (least < 16) throw new ChunkerError('rabin min must be greater than 16')
  if (least >= average || average >= most) throw new ChunkerError('incorrect format: rabin-min must be smaller than rabin-avg, and that smaller than rabin-max')
  if (most > maxChunkSize) throw new ChunkerError(`chunker parameters may not exceed the maximum chunk size of ${maxChunkSize}`)
  return rabin({ min: least, average, max: most })
}

/** ChunkerError where the name means nothing. */
export function chunkerNamed (name: string): Chunker {
  if (name === '' || name === 'default') return fixedSize({ chunkSize: defaultChunkSize })
  const [kind = '', ...rest] = name.split('-')
  if (kind === 'size' && rest.length === 1) return sized(rest[0] ?? '')
  if (kind === 'rabin') return rabinBy(rest)
  if (name === 'buzhash') return buzhash()
  throw new ChunkerError(`unrecognized chunker option: ${name}`)
}
