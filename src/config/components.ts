/** The small sections: tracker, monitor, allocator and informers (config.md §8). */
import { amount, count, duration, field, hour, second } from './fields.ts'
import { oneOf, textList, textMap } from './kinds.ts'
import { schema } from './schema.ts'
import type { SchemaValues } from './schema.ts'

export const statelessSchema = schema({
  maxPinQueueSize: count(1_000_000, { hide: 'at default', zeroIsDefault: true }),
  concurrentPins: count(10, { zeroIsDefault: true }),
  priorityPinMaxAge: duration(24 * hour),
  priorityPinMaxRetries: count(5, { zeroIsDefault: true })
})
export type StatelessConfig = SchemaValues<typeof statelessSchema>

export const pubsubmonSchema = schema({ checkInterval: duration(15 * second, { required: true }) })
export type PubsubmonConfig = SchemaValues<typeof pubsubmonSchema>

export const balancedSchema = schema({ allocateBy: field(textList, ['tag:group', 'freespace'], { zeroIsDefault: true }) })
export type BalancedConfig = SchemaValues<typeof balancedSchema>

export const diskSchema = schema({
  metricTtl: duration(30 * second, { required: true }),
  metricType: field(oneOf('freespace', 'reposize'), 'freespace', { required: true })
})
export type DiskConfig = SchemaValues<typeof diskSchema>

export const pinqueueSchema = schema({
  metricTtl: duration(30 * second, { required: true }),
  weightBucketSize: amount(100_000, { whenMissing: 0 })
})
export type PinqueueConfig = SchemaValues<typeof pinqueueSchema>

export const tagsSchema = schema({
  metricTtl: duration(30 * second, { zeroIsDefault: true }),
  tags: field<Readonly<Record<string, string>>>(textMap, { group: 'default' }, { whenMissing: {} })
})
export type TagsConfig = SchemaValues<typeof tagsSchema>
