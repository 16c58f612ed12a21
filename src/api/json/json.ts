/** JSON text as Go reads and writes it: int64 stays exact (bigint), HTML characters are escaped. */
import { DecodeError, InvalidValueError } from '../../errors.ts'

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject
export interface JsonObject { readonly [key: string]: Json | undefined }

const escapes = /[<>&\u2028\u2029]/
const everyEscape = new RegExp(escapes, 'g')
const escapeOne = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
const quote = (text: string): string => {
  const quoted = JSON.stringify(text)
  return escapes.test(quoted) ? quoted.replaceAll(everyEscape, escapeOne) : quoted
}

/** Compact JSON text; undefined fields are left out. With `indent`, one field or element a line, as Go's MarshalIndent. */
export function encodeJson (value: Json, indent = '', margin = '\n'): string {
  if (typeof value === 'string') return quote(value)
  if (value === null || typeof value !== 'object') return String(value)
  const inner = margin + indent
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', (value as readonly Json[]).map((item) => encodeJson(item, indent, inner))]
    : ['{', '}', Object.entries(value as JsonObject).flatMap(([key, item]) => item === undefined ? [] : [`${quote(key)}:${indent === '' ? '' : ' '}${encodeJson(item, indent, inner)}`])]
  if (parts.length === 0) return open + close
  return indent === '' ? `${open}${parts.join(',')}${close}` : `${open}${inner}${parts.join(`,${inner}`)}${margin}${close}`
}

const longInteger = /\d{16}/
/** Integers beyond 2^53 become bigints. */
const exactIntegers = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value

/** One JSON value; DecodeError when the text is not JSON. */
export function parseJson (text: string): Json {
  try {
    return JSON.parse(text, longInteger.test(text) ? exactIntegers : undefined) as Json
  } catch (cause) {
    throw new DecodeError(`not JSON: ${text.slice(0, 80)}`, { cause })
  }
}

/** The value as an object; `at` names it in the error. */
export function asObject (value: Json | undefined, at: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new InvalidValueError(at, 'not an object')
  return value as JsonObject
}

/** The value as a list; null and absent are empty, as Go's clients read them. */
export function asList (value: Json | undefined, at: string): readonly Json[] {
  if (value == null) return []
  if (!Array.isArray(value)) throw new InvalidValueError(at, 'not a list')
  return value as readonly Json[]
}

/** A text; null and absent are empty. */
export function asText (value: Json | undefined, at: string): string {
  if (value == null) return ''
  if (typeof value !== 'string') throw new InvalidValueError(at, 'not a text')
  return value
}

/** An integer that a number holds exactly; null and absent are 0. */
export function asInteger (value: Json | undefined, at: string): number {
  if (value == null) return 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new InvalidValueError(at, 'not an integer')
  return value
}

/** An int64; null and absent are 0. */
export function asBigInt (value: Json | undefined, at: string): bigint {
  if (value == null) return 0n
  if (typeof value === 'bigint') return value
  return BigInt(asInteger(value, at))
}

export function asNumber (value: Json | undefined, at: string): number {
  if (value == null) return 0
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'number') throw new InvalidValueError(at, 'not a number')
  return value
}

export function asBoolean (value: Json | undefined, at: string): boolean {
  if (value == null) return false
  if (typeof value !== 'boolean') throw new InvalidValueError(at, 'not true or false')
  return value
}
