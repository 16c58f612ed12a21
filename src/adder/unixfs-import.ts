/** UnixFS import of files, directories and symbolic links, with the CIDs and the order of output of Go's add (rest-api.md §5.2). */
import { InvalidValueError } from '../errors.ts'
import { chunkerNamed } from './chunker.ts'
import { DirectoryTree, segmentsOf } from './tree.ts'
import { unixfs } from '@helia/unixfs'
import { balanced, trickle } from 'ipfs-unixfs-importer/layout'
import type { AddEntry, AddOptions } from './adder.ts'
import type { Linked, PutBlock } from './directory.ts'
import type { FileCandidate, ImporterOptions, SymlinkCandidate } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'

/** A finished node, or how much of a file has been read (no cid). Without allocations: those are known elsewhere. */
export interface ImportedNode { readonly name: string, readonly cid?: CID | undefined, readonly bytes?: number | undefined, readonly size?: number | undefined }

/** How a file is cut and linked. */
type ImportOptions = Omit<ImporterOptions, 'onProgress'>

const progressStep = 256 * 1024
const maxLinks = 174
/** Bytes of the target of a symbolic link. */
const maxTarget = 4096

/** Multihash names that Go knows; only sha2-256 is made here. */
const knownHashes = new Set(['identity', 'sha1', 'sha2-256', 'sha2-512', 'sha3', 'sha3-224', 'sha3-256', 'sha3-384', 'sha3-512', 'shake-128', 'shake-256', 'keccak-224', 'keccak-256', 'keccak-384', 'keccak-512', 'blake2b-256', 'blake2b-512', 'blake2s-256', 'blake3', 'murmur3-x64-64', 'dbl-sha2-256', 'md5', 'x11', 'poseidon-bls12_381-a2-fc1', 'sha2-256-trunc254-padded'])

/** Throws what a request with these options is refused with. */
function importerOptions ({ layout = 'balanced', chunker = '', hash = 'sha2-256', cidVersion = 0, rawLeaves = cidVersion > 0 }: AddOptions): ImportOptions {
  const name = hash.toLowerCase()
  if (!knownHashes.has(name)) throw new Error('hash function name not known')
  if (name !== 'sha2-256') throw new InvalidValueError('hash', `${name} is not available on this peer; sha2-256 is`)
  return {
    cidVersion, rawLeaves, chunker: chunkerNamed(chunker), fieldOrder: 'links-first', fileImportConcurrency: 1,
    // Go's trickle layout has raw leaves inside dag-pb, and a root above even a single one.
    ...(layout === 'trickle' ? { layout: trickle({ maxChildrenPerNode: maxLinks }), leafType: 'raw', reduceSingleLeafToSelf: false } : { layout: balanced({ maxChildrenPerNode: maxLinks }), leafType: 'file' })
  }
}

export class UnixFsImport {
  readonly #options: AddOptions
  readonly #importer: ImportOptions
  readonly #put: PutBlock
  readonly #emit: (node: ImportedNode) => Promise<void>
  #tree = new DirectoryTree()
  #top: string | undefined
  #root: CID | undefined

  constructor (options: AddOptions, put: PutBlock, emit: (node: ImportedNode) => Promise<void>) {
    this.#options = options
    this.#importer = importerOptions(options)
    this.#put = put
    this.#emit = emit
  }

  /** Entries come depth first. Several at the top, unwrapped, are several roots: the last one counts. */
  async add (entry: AddEntry): Promise<void> {
    const segments = segmentsOf(entry.path)
    if (segments[0] !== this.#top && this.#options.wrapWithDirectory !== true) await this.#flush()
    this.#top = segments[0] ?? ''
    if (entry.kind === 'directory') {
      this.#tree.addFolder(segments)
      return
    }
    const imported = await this.#import(entry.kind === 'file' ? { content: this.#counted(entry.content, segments) } : symlinkOf(entry.target))
    const name = segments.join('/')
    // A nameless file is the whole of what is added (stdin).
    if (segments.length > 0) this.#tree.addFile(segments, imported)
    this.#root = imported.cid
    await this.#emit({ name, ...imported })
  }

  async #import (candidate: FileCandidate | SymlinkCandidate): Promise<Linked> {
    const put = async (cid: CID, bytes: Uint8Array): Promise<CID> => {
      await this.#put({ cid, bytes })
      return cid
    }
    // Blocks only leave: nothing of the store behind Helia's UnixFS but `put` is asked for.
    for await (const { cid, size } of unixfs({ blockstore: { put } as never }).addAll([candidate], this.#importer)) return { cid, size: Number(size) }
    throw new Error('the importer made nothing of a file')
  }

  async * #counted (content: AsyncIterable<Uint8Array>, segments: readonly string[]): AsyncGenerator<Uint8Array> {
    if (this.#options.progress !== true) {
      yield * content
      return
    }
    const name = (this.#options.wrapWithDirectory === true ? segments : segments.slice(1)).join('/')
    let bytes = 0
    let told = -1
    for await (const chunk of content) {
      bytes += chunk.length
      yield chunk
      if (bytes - Math.max(told, 0) >= progressStep) await this.#emit({ name, bytes: told = bytes })
    }
    if (told !== bytes) await this.#emit({ name, bytes })
  }

  async #flush (): Promise<void> {
    const wrap = this.#options.wrapWithDirectory === true
    for await (const { path, cid, size } of this.#tree.put(this.#put, this.#options.cidVersion ?? 0, wrap)) {
      this.#root = cid
      await this.#emit({ name: path, cid, size })
    }
    this.#tree = new DirectoryTree()
  }

  /** The root of everything; undefined where nothing was added. */
  async finish (): Promise<CID | undefined> {
    if (this.#top !== undefined) await this.#flush()
    return this.#root
  }
}

function symlinkOf (target: string): SymlinkCandidate {
  if (target.length > maxTarget) throw new InvalidValueError('path', `a symbolic link of more than ${maxTarget} characters`)
  return { path: 'link', link: target }
}
