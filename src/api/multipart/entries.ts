/** What the parts of an upload add (rest-api.md §5.1). */
import { DecodeError } from '../../errors.ts'
import type { AddEntry } from '../../adder/adder.ts'
import type { Part } from './parser.ts'

const maxTargetBytes = 4096

/** A parameter of a Content-Disposition; quoted texts may hold escaped quotes. */
function parameter (header: string, name: string): string | undefined {
  const [, quoted, token] = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, 'i').exec(header) ?? []
  return quoted?.replaceAll(/\\(["\\])/g, '$1') ?? token
}

/** As Go's QueryUnescape; a text that is not escaped stays. */
function unescape (text: string): string {
  try { return decodeURIComponent(text.replaceAll('+', ' ')) } catch { return text }
}

/** Relative path without empty and `.` segments; `..` never leaves. */
function cleanPath (path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.includes('..') || path.includes('\0')) throw new DecodeError(`multipart: invalid file name ${JSON.stringify(path.slice(0, 128))}`)
  return segments.join('/')
}

async function textOf (body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxTargetBytes) throw new DecodeError('multipart: symlink target too long')
  }
  return text + decoder.decode()
}

/** The entry of one part. Its content must be read before the next part is. */
export async function entryOf ({ headers, body }: Part): Promise<AddEntry> {
  const path = cleanPath(unescape(parameter(headers.get('content-disposition') ?? '', 'filename') ?? ''))
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type === 'application/x-directory') return { kind: 'directory', path }
  if (type === 'application/symlink') return { kind: 'symlink', path, target: await textOf(body) }
  return { kind: 'file', path, content: body }
}
