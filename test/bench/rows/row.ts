/** A row, or a few that are measured together: what it does to a server, and which figures come of it. */
import type { FigureName } from '../figures.ts'
import type { RowName } from '../options.ts'
import type { Kind, Opening, Server } from '../server.ts'

/** What a row is given. */
export interface Stage {
  readonly kind: Kind
  readonly pins: number
  readonly clients: number
  readonly settings: RowSettings
  readonly note: (figure: FigureName, value: number | string) => void
  readonly say: (text: string) => void
  /** Opens another server, watched until it is closed; of the same kind unless said otherwise. */
  readonly open: (opening: Opening, kind?: Kind) => Promise<Server>
}

export interface RowSettings {
  readonly addMebibytes: number
  /** Pins of the source of a newcomer. */
  readonly newcomerPins: number
  /** The newcomer joins the server of the round, with the pins as they were accepted, and not one filled for it. */
  readonly joinRound: boolean
  /** Longest wait for a newcomer, in s. */
  readonly newcomerLimit: number
  /** A folder for CPU profiles of ours: each row on the server then begins with a restart, and listings are read ten times. */
  readonly profile?: string | undefined
  /** The kinds of newcomers. */
  readonly newcomers: readonly Kind[]
}

/** Measured on the server of the round, in the order of the table. */
export interface ServerRow {
  readonly name: RowName
  /** `sample` is one of the pins. */
  readonly measure: (stage: Stage, server: Server, sample: string) => Promise<void>
}

/** Measured on servers of its own, after the one of the round is gone. */
export interface OwnRow {
  readonly name: RowName
  readonly measureOwn: (stage: Stage) => Promise<void>
}
