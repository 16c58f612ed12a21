/** A server of the REST API under test, and what one needs to know to open another of its kind. */
import type { StandIn } from './stand-in-process.ts'

export interface Server {
  /** Kind and role, as the plot names it: `ours`, `ours, newcomer`. */
  readonly label: string
  /** REST URL. */
  readonly base: string
  /** Absent where the bench does not know the process. */
  readonly pid?: (() => number) | undefined
  /** Absent where the bench may not start and stop it. */
  readonly control?: Control | undefined
  /** What it wrote, where the bench started it. */
  readonly log?: (() => string) | undefined
  readonly close: () => Promise<void>
}

export interface Control {
  /** From spawn until the peer answers with a live IPFS identity, in ms. */
  readonly start: () => Promise<number>
  /** SIGTERM; resolves when the process is gone. */
  readonly stop: () => Promise<void>
  /** Where another member reaches it. */
  readonly address: () => Promise<string>
  /** The kubo behind it; absent with an embedded Helia. */
  readonly standIn?: StandIn | undefined
}

export interface Opening {
  /** What it is for, where it is not the server itself. */
  readonly role?: string
  readonly secret?: string
  /** Address of a member to join. */
  readonly join?: string
  /** Ours only: the embedded store instead of a kubo. */
  readonly helia?: boolean
  /** Ours only: begins with this many pins, each a delta of its own. */
  readonly unbatched?: number
  /** Ours only: a folder for CPU profiles, one written at each stop. */
  readonly profile?: string | undefined
}

/** A kind of server: each `open` starts a fresh one, unless it was given by URL. */
export interface Kind {
  readonly name: string
  /** Why rows that need process control cannot be had; undefined where they can. */
  readonly controlled: boolean
  readonly ours: boolean
  readonly open: (opening?: Opening) => Promise<Server>
}

/** Runs `body` with a server that is closed after it, whatever happens. */
export async function withServer<T> (opened: Promise<Server>, body: (server: Server) => Promise<T>): Promise<T> {
  const server = await opened
  try {
    return await body(server)
  } catch (error) {
    const log = server.log?.() ?? ''
    if (log !== '') process.stderr.write(`${server.label} wrote:\n${log.slice(-4000)}\n`)
    throw error
  } finally { await server.close() }
}
