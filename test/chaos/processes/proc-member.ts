/** One peer of the suite with all that belongs to it: its process, its kubo, its disk, its clock, and the links to the others. */
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { createGoPeer } from '../../interop/programs.ts'
import { createPeerProcess, freePort } from '../../processes.ts'
import { startFaultyKubo, type FaultyKubo } from './faulty-kubo.ts'
import { Link } from './link.ts'
import { idOf } from './rest.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

export interface Program {
  readonly base: string
  readonly pid: () => number
  readonly start: () => Promise<void>
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
  readonly log: () => string
  readonly remove: () => Promise<void>
}

export interface ProcMemberOptions {
  readonly name: string
  readonly secret: string
  readonly go: boolean
  /** Its folder is on a small file system of its own, where this user may mount one. */
  readonly smallDisk: boolean
  readonly random: () => number
}

/** Nobody listens there: members reach each other by their links only. */
const nowhere = '/ip4/127.0.0.1/tcp/1'
const skewed = pathToFileURL(join(import.meta.dirname, 'clock-skew.ts')).href

const open = new Set<ProcMember>()

/** Ends what runs now: for a run that is interrupted. */
export const removeAll = async (): Promise<void> => { await Promise.allSettled([...open].map(async (member) => { await member.remove() })) }

export class ProcMember {
  readonly name: string
  readonly isGo: boolean
  readonly kubo: FaultyKubo
  readonly disk: SmallDisk | undefined
  readonly port: number
  /** Links that lead here, by who uses them. */
  readonly links = new Map<string, Link>()
  readonly #program: Program
  /** Settings of the next start. */
  readonly #env: NodeJS.ProcessEnv
  #life: 'down' | 'up' | 'paused' = 'down'
  #starting: Promise<void> = Promise.resolve()
  id = ''

  private constructor (options: ProcMemberOptions, parts: { readonly program: Program, readonly kubo: FaultyKubo, readonly disk: SmallDisk | undefined, readonly port: number, readonly env: NodeJS.ProcessEnv }) {
    this.name = options.name
    this.isGo = options.go
    this.#program = parts.program
    this.kubo = parts.kubo
    this.disk = parts.disk
    this.port = parts.port
    this.#env = parts.env
    open.add(this)
  }

  static async create (options: ProcMemberOptions): Promise<ProcMember> {
    const { name, secret, go, smallDisk, random } = options
    const kubo = await startFaultyKubo(random)
    const port = await freePort()
    const settings: NodeJS.ProcessEnv = {
      CLUSTER_LISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${port}`, CLUSTER_ANNOUNCEMULTIADDRESS: nowhere, CLUSTER_PINRECOVERINTERVAL: '5s', CLUSTER_CRDT_REBROADCASTINTERVAL: '5s',
      CLUSTER_IPFSHTTP_PINTIMEOUT: '10s', CLUSTER_IPFSHTTP_IPFSREQUESTTIMEOUT: '10s'
    }
    if (go) {
      const program = await createGoPeer({ name, secret, kuboApiPort: kubo.port, env: settings })
      return new ProcMember(options, { program, kubo, disk: undefined, port, env: {} })
    }
    const disk = smallDisk ? await mountSmallDisk() : undefined
    const program = await createPeerProcess({ name, secret, ipfs: kubo.port, env: settings, ...disk === undefined ? {} : { folder: disk.folder } })
    const member = new ProcMember(options, { program, kubo, disk, port, env: program.env })
    member.id = (JSON.parse(await readFile(join(program.folder, 'identity.json'), 'utf8')) as { readonly id: string }).id
    return member
  }

  get base (): string { return this.#program.base }
  get isUp (): boolean { return this.#life !== 'down' }
  get isPaused (): boolean { return this.#life === 'paused' }
  log (): string { return this.#program.log() }

  /** Links to the others; known from its next start on. Go is dialled by ours. */
  async linkTo (others: readonly ProcMember[]): Promise<void> {
    const addresses: string[] = []
    for (const other of others) {
      if (other === this || this.isGo) continue
      const link = other.links.get(this.name) ?? await Link.open(() => other.port)
      other.links.set(this.name, link)
      addresses.push(`/ip4/127.0.0.1/tcp/${link.port}/p2p/${other.id}`)
    }
    this.#env['CLUSTER_PEERADDRESSES'] = addresses.join(',')
  }

  /** Ms that its clock is ahead from the next start on; only ours can be wrong. */
  set skew (ms: number) {
    this.#env['NODE_OPTIONS'] = `--import ${skewed}`
    this.#env['CHAOS_CLOCK_SKEW'] = String(ms)
  }

  /** Begins to start; it may take long, or never succeed while its kubo or disk is faulty. */
  start (): void {
    if (this.isUp) return
    this.#life = 'up'
    const starting = this.#program.start().catch(() => { if (this.#starting === starting) this.#life = 'down' })
    this.#starting = starting
  }

  /** Answers. */
  async isThere (): Promise<boolean> {
    const id = await idOf(this.base)
    if (id !== undefined) this.id = id
    return id !== undefined
  }

  async stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isUp) return
    if (signal !== 'SIGKILL') this.resume()
    this.#life = 'down'
    await this.#program.stop(signal)
    await this.#starting
  }

  pause (): void {
    if (this.#life !== 'up') return
    process.kill(this.#program.pid(), 'SIGSTOP')
    this.#life = 'paused'
  }

  resume (): void {
    if (this.#life !== 'paused') return
    process.kill(this.#program.pid(), 'SIGCONT')
    this.#life = 'up'
  }

  async remove (): Promise<void> {
    open.delete(this)
    await this.stop('SIGKILL')
    for (const link of this.links.values()) await link.close()
    await this.kubo.stop()
    await this.disk?.free()
    await this.#program.remove().catch(() => {})
    await this.disk?.remove()
  }
}
