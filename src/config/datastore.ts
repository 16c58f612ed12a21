/** `datastore`: we keep our state in LevelDB; the engines of Go are accepted and their tuning is kept (config.md §9). */
import { field, flag, text } from './fields.ts'
import { anyKind } from './kinds.ts'
import { isObject, schema } from './schema.ts'
import type { Json, SchemaValues } from './schema.ts'

const noSyncKey = 'no_sync'

/** Go matches keys without regard to case, and reads what is not there as false. */
const noSyncIn = (options: Json): Json => isObject(options) ? Object.entries(options).findLast(([key]) => key.toLowerCase() === noSyncKey)?.[1] ?? false : false

const tuned = (value: Json): boolean => isObject(value) && Object.entries(value).some(([key, item]) => key.toLowerCase() !== noSyncKey && item !== 0 && item !== false && item !== null)

export const leveldbSchema = schema({
  /** Relative to the configuration folder. */
  folder: text('leveldb', { zeroIsDefault: true, hide: 'at default' }),
  /** What this peer acknowledges is on the disk itself (fsync, one for each group of changes) and survives power loss. Off: it survives a kill of the process. */
  sync: flag(true, { hide: 'at default' }),
  leveldbOptions: field<Json>({ ...anyKind, isZero: (value) => !tuned(value) }, {}, {
    unused: 'of the tuning of Go’s LevelDB only no_sync has a counterpart here',
    check: (value) => typeof noSyncIn(value) === 'boolean' ? undefined : `${noSyncKey}: expected true or false`
  })
})

/** Whether commits are fsynced: `no_sync` of Go's options counts, too. */
export const isSynced = ({ sync, leveldbOptions }: LeveldbConfig): boolean => sync && noSyncIn(leveldbOptions) !== true

export type LeveldbConfig = SchemaValues<typeof leveldbSchema>

/** Engines of Go whose section may stand in the file in place of `leveldb`. */
export const foreignEngines: readonly string[] = ['pebble', 'badger3', 'badger']
