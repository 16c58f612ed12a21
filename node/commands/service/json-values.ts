/** Objects out of JSON text that holds any number of them, one after the other. */
import { DecodeError } from '../../../src/errors.ts'

const maxLength = 1 << 20

/** Yields the text of each top-level object; whatever stands between two must be white space. Throws DecodeError. */
export async function * jsonObjects (chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let pending = ''
  let depth = 0
  let inText = false
  let escaped = false
  for await (const chunk of chunks) {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at]
      if (depth === 0) {
        if (character === '{') { depth = 1; from = at } else if (character !== undefined && !/[\s\uFEFF]/.test(character)) throw new DecodeError(`expected a JSON object, found ${JSON.stringify(character)}`)
        continue
      }
      if (inText) {
        if (escaped) escaped = false
        else if (character === '\\') escaped = true
        else if (character === '"') inText = false
      } else if (character === '"') inText = true
      else if (character === '{') depth++
      else if (character === '}' && --depth === 0) {
        yield pending + chunk.slice(from, at + 1)
        pending = ''
      }
    }
    if (depth > 0) pending += chunk.slice(from)
    if (pending.length > maxLength) throw new DecodeError(`an object is longer than ${maxLength} characters`)
  }
  if (depth > 0) throw new DecodeError('the text ends inside an object')
}
