/** What a file is, by its first bytes and its name, for a preview. */

export interface Media {
  readonly kind: 'image' | 'text' | 'audio' | 'video'
  readonly type: string
}

const signatures: ReadonlyArray<readonly [RegExp, Media['kind'], string]> = [
  [/^\x89PNG\r\n/, 'image', 'image/png'], [/^ÿØÿ/, 'image', 'image/jpeg'], [/^GIF8[79]a/, 'image', 'image/gif'], [/^RIFF....WEBP/s, 'image', 'image/webp'],
  [/^....ftypavif/s, 'image', 'image/avif'], [/^....ftypM4A/s, 'audio', 'audio/mp4'], [/^....ftyp/s, 'video', 'video/mp4'], [/^.Eß£/s, 'video', 'video/webm'],
  [/^ID3|^ÿ[ûóò]/, 'audio', 'audio/mpeg'], [/^OggS/, 'audio', 'audio/ogg'], [/^fLaC/, 'audio', 'audio/flac'], [/^RIFF....WAVE/s, 'audio', 'audio/wav'],
  [/^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)?<svg[\s>]/, 'image', 'image/svg+xml']
]

/** Whether the bytes are text: valid UTF-8 (the last character may be cut), without control characters. */
function isText (bytes: Uint8Array): boolean {
  try {
    // oxlint-disable-next-line no-control-regex -- control characters are what tells bytes from text
    return !/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true }))
  } catch {
    return false
  }
}

/** Undefined where there is nothing to show. */
export function mediaOf (head: Uint8Array): Media | undefined {
  // Byte by byte: `latin1` of browsers is windows-1252.
  const start = String.fromCharCode(...head.subarray(0, 512))
  const found = signatures.find(([pattern]) => pattern.test(start))
  if (found !== undefined) return { kind: found[1], type: found[2] }
  return isText(head) ? { kind: 'text', type: 'text/plain' } : undefined
}

/** Most bytes that a preview reads. */
export const previewLimit = (kind: Media['kind']): number => kind === 'text' ? 256 * 1024 : kind === 'image' ? 32 * 2 ** 20 : 256 * 2 ** 20
/** Larger media is previewed only when asked for. */
export const previewsByItself = 8 * 2 ** 20
