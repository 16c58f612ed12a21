import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../src/component.ts'
import { configText, defaultConfig, encodeConfig } from '../../src/config/config.ts'
import { createFolder, defaultFolder, folderAt, loadFolder, saveConfig } from '../../node/folder.ts'
import type { Folder } from '../../node/folder.ts'
import { createIdentity, identityText } from '../../node/identity.ts'

let folder: Folder
const config = defaultConfig({ peername: 'alpha', secret: '11'.repeat(32), ipfs: 'helia' })
const log = silentLogger.forComponent('config')
beforeEach(async () => { folder = folderAt(join(await mkdtemp(join(tmpdir(), 'pinswarm-folder-')), 'cluster')); await createFolder(folder) })
afterEach(async () => { await rm(join(folder.path, '..'), { recursive: true, force: true }) })

test('is private, and what was saved is loaded with the environment over it', async () => {
  expect((await stat(folder.path)).mode & 0o777).toBe(0o700)
  await saveConfig(folder, config)
  await writeFile(folder.identity, identityText(await createIdentity()))
  expect((await stat(folder.config)).mode & 0o777).toBe(0o600)
  expect(await readFile(folder.config, 'utf8')).not.toMatch(/\n$/)
  expect((await loadFolder(folder, {}, log)).config).toEqual(config)
  expect((await loadFolder(folder, { CLUSTER_PEERNAME: 'beta' }, log)).config.cluster.peername).toBe('beta')
  expect(defaultFolder({ IPFS_CLUSTER_PATH: '/x' })).toBe('/x')
  expect(defaultFolder({ HOME: '/home/u' })).toBe('/home/u/.ipfs-cluster')
})

test('absent files are named', async () => {
  await expect(loadFolder(folder, {}, log)).rejects.toThrow(`open ${folder.config}: no such file or directory`)
  await saveConfig(folder, config)
  await expect(loadFolder(folder, {}, log)).rejects.toThrow(`open ${folder.identity}: no such file or directory`)
})

test('an identity inside an old configuration is moved to its own file', async () => {
  const identity = await createIdentity()
  const document = encodeConfig(config)
  const legacy = { ...document, cluster: { ...JSON.parse(identityText(identity)) as { id: string, private_key: string }, ...document['cluster'] as object } }
  await writeFile(folder.config, configText(legacy))
  const warnings: string[] = []
  const loaded = await loadFolder(folder, {}, { ...log, warn: (message) => warnings.push(message) })
  expect(loaded.identity.peerId.equals(identity.peerId)).toBe(true)
  expect(await readFile(folder.identity, 'utf8')).toBe(identityText(identity))
  expect(warnings).toEqual([`NOTICE: identity information extracted from service.json and saved as ${folder.identity}`])
})

test('a configuration that lives at a URL', async () => {
  await writeFile(folder.identity, identityText(await createIdentity()))
  await writeFile(folder.config, '{"source": "http://example.test/service.json"}')
  const fetch = async (): Promise<Response> => await Promise.resolve(new Response(configText(encodeConfig(config))))
  expect((await loadFolder(folder, { CLUSTER_PEERNAME: 'gamma' }, log, { fetch })).config.cluster.peername).toBe('gamma')
  await expect(loadFolder(folder, {}, log, { fetch: async () => await Promise.resolve(new Response('no', { status: 500 })) })).rejects.toThrow('unsuccessful request (500): no')
})
