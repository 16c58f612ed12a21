/** Bundles hold one copy of each version of a package, however often npm has put it on disk. */
import { readFile } from 'node:fs/promises'
import type { Plugin } from 'vite'

/** Folder, name and the rest of a path below the innermost `node_modules`. */
const located = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))(\/.*)$/

export function oneCopy (): Plugin {
  const versions = new Map<string, Promise<string>>()
  /** By name and version: the folder that stands for all. */
  const chosen = new Map<string, string>()
  const versionOf = async (folder: string): Promise<string> => {
    const known = versions.get(folder) ?? readFile(`${folder}/package.json`, 'utf8').then((text) => (JSON.parse(text) as { readonly version: string }).version)
    versions.set(folder, known)
    return await known
  }
  return {
    name: 'one-copy',
    enforce: 'pre',
    async resolveId (source, importer, options) {
      if (importer === undefined || /^[./\0]/.test(source)) return null
      const found = await this.resolve(source, importer, { ...options, skipSelf: true })
      const [, folder, name, rest] = located.exec(found?.id ?? '') ?? []
      if (found === null || folder === undefined || name === undefined || rest === undefined) return found
      const key = `${name}@${await versionOf(folder)}`
      const first = chosen.get(key) ?? folder
      chosen.set(key, first)
      return first === folder ? found : { ...found, id: first + rest }
    }
  }
}
