/** What a client reads back: files, directories, symlinks. */
import { ApiError } from '../errors.ts'
import { asBigInt, asObject, asText } from '../json/json.ts'
import { checked, linesOf, textOf } from './answers.ts'
import type { Json } from '../json/json.ts'
import type { ClientResponse } from './transport.ts'

export interface DirectoryEntry {
  /** One path segment: never empty, `.`, `..` or with a slash. */
  readonly name: string
  readonly cid: string
  readonly size: bigint
  readonly type: 'file' | 'directory' | 'symlink' | 'raw'
}

export type RemoteNode =
  | { readonly kind: 'file', readonly size: bigint | undefined, readonly content: AsyncIterable<Uint8Array> }
  | { readonly kind: 'directory', readonly entries: AsyncIterable<DirectoryEntry> }
  | { readonly kind: 'symlink', readonly target: string }

function entryOf (value: Json): DirectoryEntry {
  const entry = asObject(value, 'entry')
  const name = asText(entry['name'], 'name')
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) throw new ApiError(0, `the directory has an entry named ${JSON.stringify(name)}`)
  const type = asText(entry['type'], 'type')
  return { name, cid: asText(entry['cid'], 'cid'), size: asBigInt(entry['size'], 'size'), type: type === 'directory' || type === 'symlink' || type === 'raw' ? type : 'file' }
}

async function * entriesOf (response: ClientResponse): AsyncGenerator<DirectoryEntry> {
  for await (const line of linesOf(response)) yield entryOf(line)
}

/** The content, or an error when fewer bytes came than were announced. */
async function * wholeContent (response: ClientResponse, size: bigint | undefined): AsyncGenerator<Uint8Array> {
  let received = 0n
  for await (const chunk of response.body) {
    received += BigInt(chunk.length)
    yield chunk
  }
  if (size !== undefined && received !== size) throw new ApiError(0, `the content was cut after ${received} of ${size} bytes`)
}

/** The node that an answer to `/ipfs/…` carries. */
export async function nodeOf (response: ClientResponse): Promise<RemoteNode> {
  await checked(response)
  const type = response.header('content-type') ?? ''
  if (type.includes('kind=directory')) return { kind: 'directory', entries: entriesOf(response) }
  if (type.startsWith('inode/symlink')) return { kind: 'symlink', target: await textOf(response.body) }
  const length = response.header('content-length')
  const size = length === null || !/^\d+$/.test(length) ? undefined : BigInt(length)
  return { kind: 'file', size, content: wholeContent(response, size) }
}
