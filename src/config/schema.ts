/** One description per section: what its keys are, what they mean when absent or zero, and how they are written back (config.md §2). */
import { InvalidConfigError } from '../errors.ts'

/** What JSON.parse can return. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** The type of a key's value: how it is read from JSON and from the environment, and written. */
export interface Kind<T> {
  /** For messages: `expected <this>`. */
  readonly expected: string
  /** Throws an Error with the reason. */
  decode (value: Json): T
  encode (value: T): Json
  /** JSON that `decode` takes. */
  fromEnvironment (text: string): Json
  /** What Go calls the zero value. */
  isZero (value: T): boolean
}

export interface FieldOptions<T> {
  /** A zero value in the file means the default. @default false */
  readonly zeroIsDefault?: boolean
  /** When the key is left out of the written file. @default never */
  readonly hide?: 'at default' | 'when zero'
  /** The value of a section that lacks the key, where that is not the default. */
  readonly whenMissing?: T
  /** A section without the key is refused. @default false */
  readonly required?: boolean
  /** The key is read and kept but changes nothing here: why, in a few words. Warned about when it is set. */
  readonly unused?: string
  /** The reason why a value is refused; undefined when it is fine. */
  check? (value: T): string | undefined
}

export interface Field<T> extends FieldOptions<T> {
  readonly kind: Kind<T>
  readonly default: T
}

/** Keys in the order they are written; a nested object is a schema again. Property names are the camel case of the keys. */
export type Fields = { readonly [property: string]: Field<unknown> | Schema<Fields> }

export interface Schema<F extends Fields> {
  readonly fields: F
  /** Rules over several keys; `key` is below the section. */
  check? (values: Values<F>): { readonly key: string, readonly reason: string } | undefined
}

export type Values<F extends Fields> = { readonly [P in keyof F]: F[P] extends Field<infer T> ? T : F[P] extends Schema<infer N> ? Values<N> : never }
export type SchemaValues<S> = S extends Schema<infer F> ? Values<F> : never

export const schema = <const F extends Fields>(fields: F, check?: (values: Values<F>) => { readonly key: string, readonly reason: string } | undefined): Schema<F> => check === undefined ? { fields } : { fields, check }

const isSchema = (field: Field<unknown> | Schema<Fields>): field is Schema<Fields> => 'fields' in field

/** `httpListenMultiaddress` → `http_listen_multiaddress` */
export const keyOf = (property: string): string => property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const environmentKeyOf = (property: string): string => property.toUpperCase()
const reasonOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** In words, for messages: never the value itself, which may be a secret. */
export const typeName = (value: Json): string => value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'a string' : typeof value === 'number' ? 'a number' : 'true or false'

export const defaultsOf = <F extends Fields>(section: Schema<F>): Values<F> =>
  Object.fromEntries(Object.entries(section.fields).map(([property, field]) => [property, isSchema(field) ? defaultsOf(field) : field.default])) as Values<F>

/** The properties of the schema that the object sets; keys match without regard to case, the last one wins. */
function match (fields: Fields, object: JsonObject): { readonly found: ReadonlyMap<string, Json>, readonly unknown: readonly string[] } {
  const byKey = new Map(Object.keys(fields).map((property) => [keyOf(property), property]))
  const found = new Map<string, Json>()
  const unknown: string[] = []
  for (const [key, value] of Object.entries(object)) {
    const property = byKey.get(key.toLowerCase())
    if (property === undefined) unknown.push(key)
    else if (value !== null) found.set(property, value)
  }
  return { found, unknown }
}

function decodeField (field: Field<unknown>, value: Json | undefined, at: string, warn: (message: string) => void): unknown {
  if (value === undefined) {
    if (field.required === true) throw new InvalidConfigError(at, 'the key is missing')
    return 'whenMissing' in field ? field.whenMissing : field.default
  }
  let decoded: unknown
  try { decoded = field.kind.decode(value) } catch (error) { throw new InvalidConfigError(at, reasonOf(error)) }
  if (field.zeroIsDefault === true && field.kind.isZero(decoded)) return field.default
  const refused = field.check?.(decoded)
  if (refused !== undefined) throw new InvalidConfigError(at, refused)
  if (field.unused !== undefined && !field.kind.isZero(decoded) && JSON.stringify(field.kind.encode(decoded)) !== JSON.stringify(field.kind.encode(field.default))) warn(`${at} has no effect: ${field.unused}`)
  return decoded
}

/** Values of a section. Throws InvalidConfigError naming the dotted key; unknown and unused keys go to `warn`. */
export function decodeSection<F extends Fields> (section: Schema<F>, value: Json, at: string, warn: (message: string) => void): Values<F> {
  if (!isObject(value)) throw new InvalidConfigError(at, `expected an object, found ${typeName(value)}`)
  const { found, unknown } = match(section.fields, value)
  for (const key of unknown) warn(`${at}.${key} is not a known key: ignored, and kept in the file`)
  const values = Object.fromEntries(Object.entries(section.fields).map(([property, field]) => {
    const key = `${at}.${keyOf(property)}`
    const given = found.get(property)
    return [property, isSchema(field) ? given === undefined ? defaultsOf(field) : decodeSection(field, given, key, warn) : decodeField(field, given, key, warn)]
  })) as Values<F>
  const refused = section.check?.(values)
  if (refused !== undefined) throw new InvalidConfigError(`${at}.${refused.key}`, refused.reason)
  return values
}

/** JSON of a section, keys in the order of the schema; keys of `original` that the schema does not know follow. */
export function encodeSection<F extends Fields> (section: Schema<F>, values: Values<F>, original?: Json): JsonObject {
  const known = isObject(original) ? original : {}
  const { found, unknown } = match(section.fields, known)
  const written: Array<[string, Json]> = []
  for (const [property, field] of Object.entries(section.fields)) {
    const value: unknown = values[property]
    if (isSchema(field)) { written.push([keyOf(property), encodeSection(field, value as Values<Fields>, found.get(property))]); continue }
    const encoded = field.kind.encode(value)
    if (field.hide === 'when zero' && field.kind.isZero(value)) continue
    if (field.hide === 'at default' && JSON.stringify(encoded) === JSON.stringify(field.kind.encode(field.default))) continue
    written.push([keyOf(property), encoded])
  }
  for (const key of unknown) written.push([key, known[key] ?? null])
  return Object.fromEntries(written)
}

/** The section with the variables that begin with `prefix` put in place of its keys (config.md §2, Env overrides). */
export function withEnvironment (section: Schema<Fields>, value: Json, prefix: string, environment: Readonly<Record<string, string | undefined>>): Json {
  if (!isObject(value)) return value
  const replaced: Record<string, Json> = { ...value }
  for (const [property, field] of Object.entries(section.fields)) {
    const name = `${prefix}_${environmentKeyOf(property)}`
    const existing = Object.keys(value).findLast((key) => key.toLowerCase() === keyOf(property)) ?? keyOf(property)
    if (isSchema(field)) {
      const inner = withEnvironment(field, value[existing] ?? {}, name, environment)
      if (isObject(inner) && Object.keys(inner).length > 0) replaced[existing] = inner
      continue
    }
    const text = environment[name]
    if (text === undefined || text === '') continue
    try {
      replaced[existing] = field.kind.fromEnvironment(text)
      field.kind.decode(replaced[existing])
    } catch (error) { throw new InvalidConfigError(name, reasonOf(error)) }
  }
  return replaced
}
