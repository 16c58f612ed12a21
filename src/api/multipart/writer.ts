/** Writes an upload as `multipart/form-data` (rest-api.md §5.1). Content may be a Blob, bytes, or a stream. */

export type Content = Blob | Uint8Array | AsyncIterable<Uint8Array>

/** One entry to upload, depth first. */
export type UploadEntry =
  | { readonly kind: 'file', readonly path: string, readonly content: Content }
  | { readonly kind: 'directory', readonly path: string }
  | { readonly kind: 'symlink', readonly path: string, readonly target: string }

/** As Go's QueryEscape. */
const escapeName = (path: string): string => encodeURIComponent(path).replaceAll('%20', '+').replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

const types = { file: 'application/octet-stream', directory: 'application/x-directory', symlink: 'application/symlink' } as const

const headOf = (entry: UploadEntry, boundary: string, first: boolean): string =>
  `${first ? '' : '\r\n'}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${escapeName(entry.path)}"\r\nContent-Type: ${types[entry.kind]}\r\n\r\n`

/** Random, so that no content holds it. */
export const newBoundary = (): string => `pinswarm-${crypto.randomUUID()}`
export const contentTypeOf = (boundary: string): string => `multipart/form-data; boundary=${boundary}`

const encoder = new TextEncoder()

async function * contentOf (content: Content): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content
  else if (content instanceof Blob) yield * content.stream() as unknown as AsyncIterable<Uint8Array>
  else yield * content
}

/** The body as chunks, read as they are taken. */
export async function * multipartChunks (entries: AsyncIterable<UploadEntry> | Iterable<UploadEntry>, boundary: string): AsyncGenerator<Uint8Array> {
  let first = true
  for await (const entry of entries) {
    yield encoder.encode(headOf(entry, boundary, first))
    first = false
    if (entry.kind === 'file') yield * contentOf(entry.content)
    if (entry.kind === 'symlink') yield encoder.encode(entry.target)
  }
  yield encoder.encode(`${first ? '' : '\r\n'}--${boundary}--\r\n`)
}

/** The body as one Blob that refers to its files: browsers upload it without reading it into memory. Undefined when some content is a stream. */
export function multipartBlob (entries: readonly UploadEntry[], boundary: string): Blob | undefined {
  const parts: BlobPart[] = []
  for (const [index, entry] of entries.entries()) {
    parts.push(headOf(entry, boundary, index === 0))
    if (entry.kind === 'symlink') parts.push(entry.target)
    if (entry.kind !== 'file') continue
    if (!(entry.content instanceof Blob || entry.content instanceof Uint8Array)) return undefined
    parts.push(entry.content as BlobPart)
  }
  return new Blob([...parts, `${entries.length === 0 ? '' : '\r\n'}--${boundary}--\r\n`])
}
