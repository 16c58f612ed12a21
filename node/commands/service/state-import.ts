/** `ipfs-cluster-service state import`: replaces the pinset by an export, once every pin of it is known to be good (wire.md §8). */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { errorText } from '../../../src/component.ts'
import { maxDeltaBytes } from '../../../src/crdt/limits.ts'
import { DecodeError, InvalidValueError } from '../../../src/errors.ts'
import { encodePinLine, pinFromJson } from '../../../src/pin/pin-json.ts'
import { encodePin } from '../../../src/pin/pin-proto.ts'
import type { Pin } from '../../../src/pin/pin.ts'
import { codeOf } from '../../files.ts'
import { CommandError, doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import { jsonObjects } from './json-values.ts'
import { withState } from './open-state.ts'
import { confirm, linesOf } from './prompt.ts'

export interface ImportFlags {
  readonly force?: boolean
  readonly replicationMin?: string
  readonly replicationMax?: string
  readonly allocations?: string
}

/** What one change of the pinset can hold. */
const maxPinBytes = maxDeltaBytes - 4096

type Overrides = Partial<Pick<Pin, 'replicationFactorMin' | 'replicationFactorMax' | 'allocations'>>

function overridesOf (flags: ImportFlags): Overrides {
  const factor = (text: string | undefined, name: string): number => {
    if (text === undefined) return 0
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(Number(text))) throw new InvalidValueError(name, 'expected an integer')
    return Number(text)
  }
  const min = factor(flags.replicationMin, '--rmin')
  const max = factor(flags.replicationMax, '--rmax')
  const allocations = (flags.allocations ?? '').split(',').map((id) => id.trim()).filter((id) => id !== '').map((id): PeerId => {
    try { return peerIdFromString(id) } catch { throw new InvalidValueError('--allocs', `${JSON.stringify(id)} is not a peer ID`) }
  })
  return { ...min > 0 ? { replicationFactorMin: min } : {}, ...max > 0 ? { replicationFactorMax: max } : {}, ...allocations.length > 0 ? { allocations } : {} }
}

async function * stdinText (context: ServiceContext): AsyncGenerator<string> {
  const lines = linesOf(context.stdin)
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) yield `${line.value}\n`
}

async function * fileText (path: string): AsyncGenerator<string> {
  for await (const chunk of createReadStream(path, 'utf8')) yield chunk as string
}

/** Every pin of the text; an error says which object it is in. */
async function * pinsIn (text: AsyncIterable<string>, overrides: Overrides): AsyncGenerator<Pin> {
  let number = 0
  try {
    for await (const object of jsonObjects(text)) {
      number++
      const pin = { ...pinFromJson(JSON.parse(object) as unknown), ...overrides }
      // what cannot be stored must fail here, before the old state is gone
      if (encodePin(pin).length > maxPinBytes) throw new RangeError(`the options of ${pin.cid.toString()} are too long to be stored`)
      yield pin
    }
  } catch (error) {
    throw new DecodeError(`pin ${Math.max(number, 1)}: ${errorText(error)}`, { cause: error })
  }
}

async function readable (path: string): Promise<void> {
  try { await (await open(path)).close() } catch (error) {
    throw new CommandError('reading import file', codeOf(error) === 'ENOENT' ? `open ${path}: no such file or directory` : error)
  }
}

export async function stateImport (context: ServiceContext, path: string | undefined, flags: ImportFlags): Promise<void> {
  const overrides = await doing('parsing flags', () => overridesOf(flags))
  if (flags.force !== true && !await confirm(context, 'The pinset (state) of this peer will be replaced.')) return
  if (path !== undefined) await readable(path)
  else context.tell('reading from stdin, Ctrl-D to finish\n')
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-import-'))
  const checked = join(folder, 'pins')
  try {
    await doing('importing state', async () => {
      const lines = async function * (): AsyncGenerator<Uint8Array> {
        for await (const pin of pinsIn(path === undefined ? stdinText(context) : fileText(path), overrides)) yield Buffer.concat([encodePinLine(pin), Buffer.from('\n')])
      }
      await pipeline(lines, createWriteStream(checked, { mode: 0o600 }))
    })
    await withState(context, async (state) => {
      await doing('importing state', async () => {
        await state.clear()
        const count = await state.importPins(pinsIn(fileText(checked), {})).catch((error: unknown) => { throw new Error(`${errorText(error)}: the pinset is incomplete now, run the import again`, { cause: error }) })
        context.logger.forComponent('service').info(`state successfully imported: ${count} pins. Make sure all peers have consistent states`)
      })
    })
  } finally { await rm(folder, { recursive: true, force: true }) }
}
