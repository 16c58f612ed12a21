/**
 * Blocks as files, one each: written aside and renamed, so that a kill leaves whole files only; checked against their CID when read.
 * The disk itself has them after `sync`, which everybody who waits for it shares.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { blockKey } from '../../src/ipfs/block-storage.ts'
import { FileSync } from './file-sync.ts'
import { matchesCid } from '../../src/ipfs/block.ts'
import { StorageFullError } from '../../src/ipfs/errors.ts'
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { decode } from 'multiformats/hashes/digest'
import type { BlockStorage } from '../../src/ipfs/block-storage.ts'
import type { Block } from '../../src/ipfs/ipfs.ts'
import type { Logger } from '../../src/component.ts'

/** Written when the store is closed in order: the bytes in use. Where it is missing they are counted. */
const sizeFile = 'size'
const temporary = '.tmp'
const countedTogether = 64
/** Blocks that are read and not pinned are synced only when there are so many of them. */
const maxUnsynced = 4096
const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

const hasBytes = async (file: string, bytes: Uint8Array): Promise<boolean> => await readFile(file).then((found) => found.equals(bytes), () => false)

export class FileBlocks implements BlockStorage {
  readonly storageMax: bigint
  readonly #folder: string
  readonly #log: Logger
  readonly #folders = new Map<string, Promise<unknown>>()
  readonly #writing = new Map<string, Promise<void>>()
  #counting: Promise<void> = Promise.resolve()
  #counted = false
  /** It was not closed in order: files may have another content than they had, at the same size. */
  #inDoubt = false
  #closed = false
  #size = 0n
  #serial = 0
  readonly #opened = Date.now()
  readonly #unsynced: FileSync | undefined

  private constructor (folder: string, storageMax: bigint, log: Logger, sync: boolean) {
    this.#folder = folder
    this.storageMax = storageMax
    this.#log = log
    this.#unsynced = sync ? new FileSync(folder) : undefined
  }

  /** Makes the folder where it is missing. After a crash it counts what is there, in the background. */
  static async open (folder: string, storageMax: bigint, log: Logger, sync = true): Promise<FileBlocks> {
    const blocks = new FileBlocks(folder, storageMax, log, sync)
    await mkdir(folder, { recursive: true })
    const path = join(folder, sizeFile)
    const text = await readFile(path, 'utf8').catch(() => '')
    await rm(path, { force: true })
    if (/^\d{1,19}$/.test(text)) {
      blocks.#size = BigInt(text)
      blocks.#counted = true
    } else {
      blocks.#inDoubt = true
      blocks.#counting = blocks.#count().catch((error: unknown) => { log.error('could not count the stored blocks: %s', error) })
    }
    return blocks
  }

  #path (key: string): { readonly folder: string, readonly file: string } {
    const folder = join(this.#folder, key.slice(-3, -1))
    return { folder, file: join(folder, key) }
  }

  async get (cid: CID): Promise<Uint8Array | undefined> {
    const { file } = this.#path(blockKey(cid))
    let bytes: Uint8Array
    try {
      const buffer = await readFile(file)
      bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    if (await matchesCid(cid, bytes)) return bytes
    this.#log.warn('block %s was broken on disk and has been removed', cid)
    await this.delete(cid)
    return undefined
  }

  async has (cid: CID): Promise<boolean> { return await stat(this.#path(blockKey(cid)).file).then(() => true, () => false) }

  async put ({ cid, bytes }: Block): Promise<void> {
    const key = blockKey(cid)
    const writing = this.#writing.get(key) ?? this.#write(key, bytes).finally(() => { this.#writing.delete(key) })
    this.#writing.set(key, writing)
    await writing
  }

  async #write (key: string, bytes: Uint8Array): Promise<void> {
    const { folder, file } = this.#path(key)
    const present = await stat(file).catch(() => undefined)
    if (present?.size === bytes.length && (!this.#inDoubt || await hasBytes(file, bytes))) return
    // What is replaced must have been counted as it was.
    if (present !== undefined) await this.#counting
    const added = BigInt(bytes.length - (present?.size ?? 0))
    if (this.#size + added > this.storageMax) throw new StorageFullError(this.#size, this.storageMax)
    this.#size += added
    const aside = join(this.#folder, `${process.pid}-${this.#serial++}${temporary}`)
    try {
      await this.#makeFolder(folder)
      await writeFile(aside, bytes)
      await rename(aside, file)
      this.#unsynced?.add(folder, file)
      if (this.#unsynced !== undefined && this.#unsynced.size >= maxUnsynced) await this.#unsynced.run()
    } catch (error) {
      this.#size -= added
      await rm(aside, { force: true }).catch(() => {})
      throw error
    }
  }

  async sync (): Promise<void> { await this.#unsynced?.run() }

  async #makeFolder (folder: string): Promise<void> {
    const making = this.#folders.get(folder) ?? mkdir(folder, { recursive: true })
    this.#folders.set(folder, making)
    try {
      await making
    } catch (error) {
      this.#folders.delete(folder)
      throw error
    }
  }

  async delete (cid: CID): Promise<boolean> {
    const { file } = this.#path(blockKey(cid))
    try {
      const { size } = await stat(file)
      await unlink(file)
      this.#size -= BigInt(size)
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  async * all (): AsyncGenerator<CID> {
    // Whoever lists may delete: what is gone before it was counted would be subtracted all the same.
    await this.#counting
    for await (const files of this.#folderFiles()) for (const { key } of files) yield CID.createV1(raw.code, decode(base32.decode(key)))
  }

  /** Files that are named like blocks, folder by folder; whatever else lies there is left alone. */
  async * #folderFiles (): AsyncGenerator<ReadonlyArray<{ readonly key: string, readonly file: string }>> {
    for (const shard of await readdir(this.#folder, { withFileTypes: true })) {
      if (!shard.isDirectory()) continue
      const names = await readdir(join(this.#folder, shard.name))
      yield names.filter((key) => /^b[a-z2-7]{10,300}$/.test(key)).map((key) => ({ key, file: join(this.#folder, shard.name, key) }))
    }
  }

  async #count (): Promise<void> {
    // What a killed process left half written.
    for (const name of await readdir(this.#folder)) if (name.endsWith(temporary) && !name.startsWith(`${process.pid}-`)) await rm(join(this.#folder, name), { force: true })
    let counted = 0n
    for await (const files of this.#folderFiles()) {
      if (this.#closed) return
      for (let from = 0; from < files.length; from += countedTogether) {
        const found = await Promise.all(files.slice(from, from + countedTogether).map(({ file }) => stat(file).catch(() => undefined)))
        // What was written since then has been counted when it was.
        for (const status of found) if (status !== undefined && status.mtimeMs < this.#opened) counted += BigInt(status.size)
      }
    }
    this.#size += counted
    this.#counted = true
  }

  async size (): Promise<bigint> {
    await this.#counting
    return this.#size
  }

  async close (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all(this.#writing.values())
    await this.#counting
    // An unfinished count is begun anew by the next start.
    if (!this.#counted) return
    const path = join(this.#folder, sizeFile)
    const handle = await open(`${path}${temporary}`, 'w')
    try { await handle.writeFile(String(this.#size < 0n ? 0n : this.#size)) } finally { await handle.close() }
    await rename(`${path}${temporary}`, path)
  }
}
