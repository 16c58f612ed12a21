/** What a command prints: text for people, or JSON exactly as the reference prints it. */
import { encodeJson } from '../../../src/api/json/json.ts'
import type { Json } from '../../../src/api/json/json.ts'

export type Encoding = 'text' | 'json'
export type Write = (bytes: Uint8Array) => Promise<void>

const indent = '    '
/** One value on lines of its own, indented by four. */
export const prettyJson = (value: Json): string => `${encodeJson(value, indent)}\n`

export class Output {
  readonly encoding: Encoding
  readonly #write: Write
  readonly #encoder = new TextEncoder()

  constructor (encoding: Encoding, write: Write) {
    this.encoding = encoding
    this.#write = write
  }

  /** A value: as JSON, or as the text that `format` makes of it. */
  async value<T extends Json> (value: T, format: (value: T) => string): Promise<void> {
    await this.text(this.encoding === 'json' ? prettyJson(value) : format(value))
  }

  async values<T extends Json> (values: AsyncIterable<T>, format: (value: T) => string): Promise<void> {
    for await (const value of values) await this.value(value, format)
  }

  /** Text as it is, whatever the encoding. */
  async text (text: string): Promise<void> { if (text !== '') await this.#write(this.#encoder.encode(text)) }
  async bytes (bytes: Uint8Array): Promise<void> { await this.#write(bytes) }
}
