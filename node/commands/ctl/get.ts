/** `ipfs-cluster-ctl get`. */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { command, text } from './command.ts'
import { download } from './download.ts'
import { parseTarget } from './ids.ts'

/** The last name of a path; never a way out of the folder. */
function nameOf (target: string): string {
  const name = target.split('/').findLast((segment) => segment !== '') ?? ''
  return name === '.' || name === '..' ? '_' : name
}

const isFolder = async (path: string): Promise<boolean> => await lstat(path).then((found) => found.isDirectory(), () => false)

export const get = command({
  usage: '<CID|path>',
  description: 'Writes a file or a whole directory of the cluster to disk, under its CID or its name. Files appear when they are complete.',
  examples: [['get QmZ5Ya… -o photos', 'a directory as ./photos'], ['get QmZ5Ya…/2024/cat.jpg', 'one file of it as ./cat.jpg']],
  flags: { output: text('path', 'where to write it; inside, if that is a folder', 'o') },
  run: async ({ client, args, flags, signal }) => {
    const target = parseTarget(args[0] ?? '')
    const wanted = flags.output === '' ? '.' : flags.output
    await download(client, target, await isFolder(wanted) ? join(wanted, nameOf(target)) : wanted, signal)
  }
})
