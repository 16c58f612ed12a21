/** Writes what a CID leads to below a path on disk. */
import { createWriteStream } from 'node:fs'
import { lstat, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { nodeOf } from '../../../src/api/client/content.ts'
import { UsageError } from './command.ts'
import type { RemoteNode } from '../../../src/api/client/content.ts'
import type { JsonClient } from '../../../src/api/client/json-client.ts'

const concurrentFiles = 8

/** Runs tasks, a few at a time; the first failure ends the rest. */
class Tasks {
  readonly #limit: number
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor (limit: number) { this.#limit = limit }

  #check (): void { if (this.#failure !== undefined) throw this.#failure.error }

  /** Returns once there was room for it. */
  async run (task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running)
    this.#check()
    const running: Promise<void> = task().catch((error: unknown) => { this.#failure ??= { error } }).finally(() => { this.#running.delete(running) })
    this.#running.add(running)
  }

  async done (): Promise<void> {
    await Promise.all(this.#running)
    this.#check()
  }
}

/** Through a file beside it, so that what has the name is complete. */
async function writeFile (path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const partial = join(dirname(path), `.${basename(path).slice(0, 200)}.partial`)
  try {
    await pipeline(content, createWriteStream(partial), { signal })
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

/** A folder of our own: a link in its place would lead the files elsewhere. */
async function makeFolder (path: string): Promise<void> {
  try { await mkdir(path) } catch (error) {
    if (!(await lstat(path)).isDirectory()) throw error
  }
}

/** Downloads a file or tree to `path`. Links are made last: nothing is written through them. */
export async function download (client: JsonClient, target: string, path: string, signal: AbortSignal): Promise<void> {
  const tasks = new Tasks(concurrentFiles)
  const links: Array<readonly [target: string, path: string]> = []
  const nodeAt = async (remote: string): Promise<RemoteNode> => await nodeOf(await client.content(remote, { signal }))

  const write = async (node: RemoteNode, to: string): Promise<void> => {
    if (node.kind === 'symlink') { links.push([node.target, to]); return }
    if (node.kind === 'file') { await writeFile(to, node.content, signal); return }
    await makeFolder(to)
    for await (const entry of node.entries) {
      const child = join(to, entry.name)
      if (entry.type === 'directory') await write(await nodeAt(`/ipfs/${entry.cid}`), child)
      else await tasks.run(async () => { await write(await nodeAt(`/ipfs/${entry.cid}`), child) })
    }
  }
  const root = await nodeAt(target)
  if (await lstat(path).then((found) => found.isDirectory(), () => false) && root.kind !== 'directory') throw new UsageError(`error : ${path} is a directory`)
  await write(root, path)
  await tasks.done()
  for (const [link, at] of links) await symlink(link, at)
}
