import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clusterSchema } from '../../src/config/cluster.ts'
import { balancedSchema, diskSchema, pinqueueSchema, pubsubmonSchema, statelessSchema, tagsSchema } from '../../src/config/components.ts'
import { crdtSchema } from '../../src/config/crdt.ts'
import { leveldbSchema } from '../../src/config/datastore.ts'
import { heliaSchema } from '../../src/config/helia.ts'
import { ipfsHttpSchema } from '../../src/config/ipfs-http.ts'
import { metricsSchema } from '../../src/config/observations.ts'
import { restApiSchema } from '../../src/config/rest-api.ts'
import type { Fields, Schema } from '../../src/config/schema.ts'

const root = join(import.meta.dirname, '../..')

/** Properties that do something; those without effect are declared so, and warned about. */
const active = ({ fields }: Schema<Fields>): string[] => Object.entries(fields).flatMap(([property, field]) => 'fields' in field ? active(field) : field.unused === undefined ? [property] : [])

test('every key of the configuration is used, or says that it has no effect', async () => {
  let code = ''
  for (const room of ['src', 'node']) {
    for (const entry of await readdir(join(root, room), { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.endsWith('src/config')) code += await readFile(join(entry.parentPath, entry.name), 'utf8')
    }
  }
  for (const schema of [clusterSchema, crdtSchema, restApiSchema, ipfsHttpSchema, heliaSchema, statelessSchema, pubsubmonSchema, balancedSchema, diskSchema, pinqueueSchema, tagsSchema, metricsSchema, leveldbSchema]) {
    for (const property of active(schema)) expect(new RegExp(`\\b${property}\\b`).test(code), property).toBe(true)
  }
})
