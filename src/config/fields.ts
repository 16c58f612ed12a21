/** Short words for the fields of a section: a kind, its default, and what is special about the key. */
import { durationKind, flagKind, integerKind, textKind } from './kinds.ts'
import type { Field, FieldOptions, Kind } from './schema.ts'

export const field = <T>(kind: Kind<T>, value: T, options: FieldOptions<T> = {}): Field<T> => ({ ...options, kind, default: value })
export const text = (value: string, options?: FieldOptions<string>): Field<string> => field(textKind, value, options)
export const flag = (value: boolean, options?: FieldOptions<boolean>): Field<boolean> => field(flagKind, value, options)

const positive = (value: number): string | undefined => value > 0 ? undefined : 'must be greater than zero'
const notNegative = (value: number): string | undefined => value >= 0 ? undefined : 'must not be negative'

export const integer = (value: number, options?: FieldOptions<number>): Field<number> => field(integerKind, value, options)
/** Greater than zero. */
export const count = (value: number, options?: FieldOptions<number>): Field<number> => integer(value, { check: positive, ...options })
/** Zero or more. */
export const amount = (value: number, options?: FieldOptions<number>): Field<number> => integer(value, { check: notNegative, ...options })

/** An empty string always keeps the default. */
const orDefault = (value: number): Kind<number> => ({ ...durationKind, decode: (json) => { const given = durationKind.decode(json); return Number.isNaN(given) ? value : given } })
/** In ms, greater than zero. */
export const duration = (value: number, options?: FieldOptions<number>): Field<number> => field(orDefault(value), value, { check: positive, ...options })
/** In ms; zero switches it off. */
export const optionalDuration = (value: number, options?: FieldOptions<number>): Field<number> => field(orDefault(value), value, { check: notNegative, ...options })

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
