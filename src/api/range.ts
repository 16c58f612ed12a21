/** `Range` of one part (RFC 9110 §14); other forms are ignored, as the standard allows. */
export interface ByteRange { readonly offset: bigint, readonly length: bigint }

export function parseRange (header: string | null, size: bigint): ByteRange | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,18})-(\d{0,18})$/.exec(header?.trim() ?? '') ?? []
  if (from === '' && to === '') return undefined
  if (from === '') {
    const wanted = BigInt(to)
    const length = wanted < size ? wanted : size
    return length === 0n ? 'unsatisfiable' : { offset: size - length, length }
  }
  const offset = BigInt(from)
  const last = to === '' || BigInt(to) >= size ? size - 1n : BigInt(to)
  if (to !== '' && BigInt(to) < offset) return undefined
  return offset >= size ? 'unsatisfiable' : { offset, length: last - offset + 1n }
}
