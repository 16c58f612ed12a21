import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryOf } from '../../src/api/multipart/entries.ts'
import { boundaryOf, parseMultipart } from '../../src/api/multipart/parser.ts'
import { contentTypeOf, multipartBlob, multipartChunks } from '../../src/api/multipart/writer.ts'
import type { UploadEntry } from '../../src/api/multipart/writer.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

async function bytesOf (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: BlobPart[] = []
  for await (const chunk of chunks) parts.push(chunk.slice() as BlobPart)
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

async function * inPieces (bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let turn = 0
  for (let at = 0; at < bytes.length;) {
    const size = sizes[turn++ % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

interface Read { readonly kind: string, readonly path: string, readonly content: string }
async function read (body: AsyncIterable<Uint8Array>, boundary: string): Promise<Read[]> {
  const found: Read[] = []
  for await (const part of parseMultipart(body, boundary)) {
    const entry = await entryOf(part)
    found.push({ kind: entry.kind, path: entry.path, content: entry.kind === 'file' ? Array.from(await bytesOf(entry.content)).join() : entry.kind === 'symlink' ? entry.target : '' })
  }
  return found
}
const text = async (body: string, boundary = 'B', sizes = [7]): Promise<Read[]> => await read(inPieces(encoder.encode(body), sizes), boundary)

const segment = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..' && name.isWellFormed())
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'))
// Much of what could be mistaken for a boundary.
const content = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.array(fc.constantFrom('\r', '\n', '-', '--B', '\r\n--', '\r\n--X', 'x'), { maxLength: 40 }).map((parts) => encoder.encode(parts.join('')))
)
const entry: fc.Arbitrary<UploadEntry> = fc.oneof(
  fc.record({ kind: fc.constant('file' as const), path, content }),
  fc.record({ kind: fc.constant('directory' as const), path }),
  fc.record({ kind: fc.constant('symlink' as const), path, target: fc.string({ maxLength: 30, unit: 'grapheme' }).filter((target) => target.isWellFormed()) })
)

test('what the writer writes the reader reads, however the network cuts it', async () => {
  await fc.assert(fc.asyncProperty(fc.array(entry, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 6 }), async (entries, sizes) => {
    const boundary = 'XBOUNDARYX'
    const written = await bytesOf(multipartChunks(entries, boundary))
    expect(await read(inPieces(written, sizes), boundary)).toEqual(entries.map((each) => ({
      kind: each.kind, path: each.path, content: each.kind === 'file' ? Array.from(each.content as Uint8Array).join() : each.kind === 'symlink' ? each.target : ''
    })))
    const blob = multipartBlob(entries, boundary)
    expect(blob === undefined ? undefined : new Uint8Array(await blob.arrayBuffer())).toEqual(written)
  }), { numRuns: 200 })
})

test('any bytes end in parts or a DecodeError', async () => {
  const noise = fc.array(fc.oneof(fc.constantFrom('--B', '\r\n', '\r\n\r\n', '--', 'Content-Disposition: form-data; name="file"; filename="a"', ':', '\r\n--B--'), fc.string({ maxLength: 20 })), { maxLength: 30 }).map((parts) => encoder.encode(parts.join('')))
  await fc.assert(fc.asyncProperty(fc.oneof(noise, fc.uint8Array({ maxLength: 400 })), fc.integer({ min: 1, max: 50 }), async (bytes, size) => {
    const failure = await read(inPieces(bytes, [size]), 'B').then(() => undefined, (error: unknown) => error)
    if (failure !== undefined) expect((failure as Error).name).toBe('DecodeError')
  }), { numRuns: 500 })
})

test('the closing boundary may be cut anywhere', async () => {
  const body = '--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello\r\n--B--\r\n'
  for (let at = 1; at < body.length; at++) expect(await text(body, 'B', [at, body.length]), `cut at ${at}`).toEqual([{ kind: 'file', path: 'a', content: Array.from(encoder.encode('hello')).join() }])
})

test('names: escaped, plain UTF-8, with a mode, quoted; none leaves its place', async () => {
  const named = async (disposition: string): Promise<string | undefined> => (await text(`--B\r\nContent-Disposition: form-data; ${disposition}\r\n\r\nx\r\n--B--`))[0]?.path
  expect(await named('name="file?mode=0644&mtime=1795378542"; filename="d%2Fsub+dir%2F%E2%82%AC.txt"')).toBe('d/sub dir/€.txt')
  expect(await named('name="file"; filename="日本.txt"')).toBe('日本.txt')
  expect(await named('name="file"; filename="50% off"')).toBe('50% off')
  expect(await named('name="file"; filename="say \\"hi\\".txt"')).toBe('say "hi".txt')
  expect(await named('name="file"; filename="/a//./b/"')).toBe('a/b')
  expect(await named('name="file"')).toBe('')
  for (const bad of ['..', '../x', 'a/../../x', 'a%2F..%2Fb', 'x%00y']) await expect(named(`name="file"; filename="${bad}"`)).rejects.toThrow('invalid file name')
})

test('a part that is left early does not disturb the next one', async () => {
  const body = `--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${'x'.repeat(500)}\r\n--B\r\nContent-Disposition: form-data; name="file"; filename="b"\r\n\r\nyes\r\n--B--`
  const seen: string[] = []
  for await (const part of parseMultipart(inPieces(encoder.encode(body), [20]), 'B')) {
    for await (const chunk of part.body) { seen.push(decoder.decode(chunk)); break }
  }
  expect(seen.at(-1)).toBe('yes')
})

test('reads on only as the parts are read', async () => {
  let given = 0
  const source = async function * (): AsyncGenerator<Uint8Array> {
    yield encoder.encode('--B\r\nContent-Disposition: form-data; name="file"; filename="big"\r\n\r\n')
    for (let i = 0; i < 1000; i++) { given++; yield new Uint8Array(1024) }
    yield encoder.encode('\r\n--B--')
  }
  let taken = 0
  for await (const part of parseMultipart(source(), 'B')) for await (const chunk of part.body) { taken += chunk.length; expect(given * 1024 - taken).toBeLessThan(4096) }
  expect(taken).toBe(1000 * 1024)
})

test('malformed bodies are refused', async () => {
  await expect(text('--B\r\nContent-Disposition: x\r\n\r\ncut')).rejects.toThrow('unexpected EOF')
  await expect(text('no boundary at all')).rejects.toThrow('unexpected EOF')
  await expect(text(`--B\r\n${'x'.repeat(20_000)}`)).rejects.toThrow('too large')
  await expect(text(`${'x'.repeat(70_000)}`, 'B', [5000])).rejects.toThrow('no part begins')
  await expect(text('--B\r\nnot a header\r\n\r\nx\r\n--B--')).rejects.toThrow('malformed part header')
  await expect(text('--Bxyz\r\n\r\nx\r\n--B--')).rejects.toThrow('malformed boundary')
  await expect(text(`--B\r\nContent-Disposition: form-data; filename="l"\r\nContent-Type: application/symlink\r\n\r\n${'x'.repeat(5000)}\r\n--B--`)).rejects.toThrow('target too long')
  expect(await text('--B--\r\n')).toEqual([])
  expect(await text('preamble\r\n--B\r\n\r\nbare\r\n--B--\r\nepilogue')).toEqual([{ kind: 'file', path: '', content: Array.from(encoder.encode('bare')).join() }])
  expect(await text('--B\r\nContent-Disposition: form-data; filename="e"\r\n\r\n--B--')).toEqual([{ kind: 'file', path: 'e', content: '' }])
})

test('the boundary of a Content-Type', () => {
  expect(boundaryOf(contentTypeOf('abc'))).toBe('abc')
  expect(boundaryOf('multipart/form-data; charset=utf-8; boundary="a b"')).toBe('a b')
  for (const none of [null, 'text/plain', 'multipart/form-data', `multipart/form-data; boundary=${'x'.repeat(300)}`]) expect(boundaryOf(none)).toBeUndefined()
})
