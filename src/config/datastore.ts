/** `datastore`: we keep our state in LevelDB; the engines of Go are accepted and their tuning is kept (config.md §9). */
import { field, text } from './fields.ts'
import { anyKind } from './kinds.ts'
import { schema } from './schema.ts'
import type { Json, SchemaValues } from './schema.ts'

const tuned = (value: Json): boolean => typeof value === 'object' && value !== null && Object.values(value).some((item) => item !== 0 && item !== false && item !== null)

export const leveldbSchema = schema({
  /** Relative to the configuration folder. */
  folder: text('leveldb', { zeroIsDefault: true, hide: 'at default' }),
  leveldbOptions: field<Json>({ ...anyKind, isZero: (value) => !tuned(value) }, {}, { unused: 'the tuning of Go’s LevelDB has no counterpart here' })
})

export type LeveldbConfig = SchemaValues<typeof leveldbSchema>

/** Engines of Go whose section may stand in the file in place of `leveldb`. */
export const foreignEngines: readonly string[] = ['pebble', 'badger3', 'badger']
