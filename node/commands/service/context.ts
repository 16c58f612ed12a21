/** What a command of the service program gets from the process it runs in. */
import type { Readable } from 'node:stream'
import type { Environment } from '../../../src/config/config.ts'
import { errorText } from '../../../src/component.ts'
import type { Folder } from '../../folder.ts'
import type { NodeLogger } from '../../logger.ts'

export interface Streams {
  readonly stdin: Readable
  readonly out: (text: string) => void
  /** Results in bulk: resolves when stdout takes more. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Talk: never results. */
  readonly tell: (text: string) => void
}

export interface ServiceContext extends Streams {
  readonly environment: Environment
  readonly folder: Folder
  readonly logger: NodeLogger
  /** Registers what SIGINT, SIGTERM and SIGHUP do; returns the way back. */
  readonly onSignal: (listener: (signal: string) => void) => () => void
  /** Ends the process at once. */
  readonly exitNow: (code: number) => void
}

/** Ends the program with `error <doing>: <reason>` on stderr. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly exitCode: number
  constructor (doing: string, reason: unknown, exitCode = 1) {
    super(`error ${doing}: ${errorText(reason)}`, { cause: reason })
    this.exitCode = exitCode
  }
}

/** Runs a step; its failure becomes a CommandError. */
export async function doing<T> (what: string, step: () => T | Promise<T>): Promise<T> {
  try { return await step() } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(what, error)
  }
}
