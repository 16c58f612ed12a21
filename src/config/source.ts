/** A configuration that lives at a URL: `{"source": "https://…"}` (config.md §2, Remote configuration). */
import type { AbortOptions } from '../component.ts'
import { errorText } from '../component.ts'
import { InvalidConfigError } from '../errors.ts'
import { isObject, typeName } from './schema.ts'
import type { Json, JsonObject } from './schema.ts'

const maxBytes = 4 * 2 ** 20

/** Text to a JSON object; the message says where it breaks, never what it holds. */
export function parseDocument (text: string, name: string): JsonObject {
  let document: Json
  try {
    document = JSON.parse(text) as Json
  } catch (error) {
    // V8 quotes the text, which may hold a secret: keep the position only
    const at = /position \d+(?: \(line \d+ column \d+\))?/.exec(errorText(error))
    throw new InvalidConfigError(name, `not valid JSON${at === null ? '' : ` at ${at[0]}`}`)
  }
  if (!isObject(document)) throw new InvalidConfigError(name, `expected an object, found ${typeName(document)}`)
  return document
}

/** Where the document says the configuration is; undefined when it is the configuration itself. */
export function sourceOf (document: JsonObject): string | undefined {
  const name = Object.keys(document).find((key) => key.toLowerCase() === 'source')
  const source = name === undefined ? undefined : document[name]
  if (source === undefined || source === null || source === '') return undefined
  if (typeof source !== 'string' || !/^https?:\/\//.test(source)) throw new InvalidConfigError('source', 'must be an http or https URL')
  return source
}

async function readBounded (response: Response, source: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? new ReadableStream<Uint8Array>({ start: (controller) => { controller.close() } })) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxBytes) throw new InvalidConfigError('source', `${source} is larger than ${maxBytes} bytes`)
  }
  return text + decoder.decode()
}

/** Fetches the document that `source` names. */
export async function fetchSource (source: string, { fetch: get = fetch, signal }: AbortOptions & { readonly fetch?: typeof fetch } = {}): Promise<JsonObject> {
  const limit = AbortSignal.timeout(60_000)
  let response: Response, text: string
  try {
    response = await get(source, { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) })
    text = await readBounded(response, source)
  } catch (error) {
    if (error instanceof InvalidConfigError) throw error
    throw new InvalidConfigError('source', `could not fetch configuration from source: ${source}`, { cause: error })
  }
  if (response.status >= 300) throw new InvalidConfigError('source', `unsuccessful request (${response.status}): ${text.slice(0, 1000)}`)
  const document = parseDocument(text, source)
  if (sourceOf(document) !== undefined) throw new InvalidConfigError('source', 'a sourced configuration cannot point to another source')
  return document
}
