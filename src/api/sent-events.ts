/** Server-sent events (HTML standard, section 9.2), as far as they are used here: written and read. */
import { DecodeError } from '../errors.ts'

export interface SentEvent { readonly type: string, readonly data: string }

/** Longest event that is read, in characters. */
const maxEvent = 16 * 2 ** 20
const lineEnds = /\r\n|\n|\r/g
const encoder = new TextEncoder()

/** One event; its data has no line ends, as JSON has none. */
export const encodeSentEvent = ({ type, data }: SentEvent): Uint8Array => encoder.encode(`event: ${type}\ndata: ${data}\n\n`)
/** Nobody reads it, but it shows that the other side is there. */
export const encodeComment = (text: string): Uint8Array => encoder.encode(`: ${text}\n\n`)

/** Events as they come. Throws DecodeError when one does not end. */
export async function * sentEvents (body: AsyncIterable<Uint8Array>): AsyncGenerator<SentEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  let type = ''
  let data: string[] = []
  let size = 0
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    if (size + rest.length > maxEvent) throw new DecodeError('an event of the answer is too long')
    let from = 0
    // A carriage return at the very end may be half of a line end.
    for (let match = lineEnd(rest, from); match !== undefined; match = lineEnd(rest, from)) {
      const line = rest.slice(from, match.at)
      from = match.next
      if (line === '') {
        if (data.length > 0) yield { type: type === '' ? 'message' : type, data: data.join('\n') }
        ;[type, data, size] = ['', [], 0]
        continue
      }
      size += line.length
      const colon = line.indexOf(':')
      if (colon === 0) continue
      const [field, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
      if (field === 'event') type = value
      else if (field === 'data') data.push(value)
    }
    rest = rest.slice(from)
  }
}

function lineEnd (text: string, from: number): { readonly at: number, readonly next: number } | undefined {
  lineEnds.lastIndex = from
  const match = lineEnds.exec(text)
  if (match === null || (match[0] === '\r' && match.index + 1 === text.length)) return undefined
  return { at: match.index, next: match.index + match[0].length }
}
