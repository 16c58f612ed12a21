/** `ipfs-cluster-service state crdt …`: the CRDT state behind the pinset, and mending it (cli.md B). */
import type { CrdtInfo, OfflineCrdtState } from '../../../src/consensus/crdt/offline.ts'
import type { DeltaBlock } from '../../../src/crdt/block.ts'
import type { StoreError } from '../../../src/store/errors.ts'
import { repairState, repairStore } from '../../repair-state.ts'
import { doing } from './context.ts'
import type { ServiceContext } from './context.ts'
import { withFolder, withState } from './open-state.ts'
import { writeOut } from './output.ts'

export const infoHelp = `
Heads are the newest changes: blocks that no other change builds on. Members whose heads and height are the same have the same pinset.
Dirty: blocks are missing, or may be. The running peer fetches them from the other members.
How many pins, blocks and missing blocks there are is told on stderr.
`

export const dotHelp = `
Each block is a node: height, last characters of its CID, pins added and removed. Draw it with Graphviz, if it is not too large:

  ipfs-cluster-service state crdt dot | dot -Tsvg > dag.svg
`

export const markDirtyHelp = `
The next start looks through all blocks for links to missing ones and fetches those from the other members. Nothing else is changed.
Where single pins differ between members although heads are the same, use \`state crdt repair\`.
`

export const markCleanHelp = `
Takes the mark away. Blocks that are known to be missing are fetched all the same.
`

export const repairHelp = `
For a store that does not open ("is damaged"), or shows other pins than the other members. What can be read is kept, unreadable files go
to the folder "lost" inside the store, and the pinset is made anew of the blocks, each checked against its hash. Blocks that are missing
then are fetched from the other members when the peer runs. Pins that no other member has and whose blocks are damaged are lost.
It needs room for a second copy of the blocks, and can be run again when it was cut off. A copy of the folder beforehand does no harm.
`

/** As Go prints it: no end of line. */
export async function crdtInfo (context: ServiceContext): Promise<void> {
  const { heads, dirty, ...counts } = await withState(context, async (state) => state.info())
  const height = heads.reduce((most, head) => Math.max(most, head.height), 0)
  context.out(`Number of heads: ${heads.length}. Current max-height: ${height}. Dirty: ${dirty}\nHeads: [${heads.map(({ cid }) => cid.toString()).join(' ')}]`)
  context.tell(`\n${countsText(counts)}\n`)
}

const countsText = ({ pins, blocks, missing }: Pick<CrdtInfo, 'pins' | 'blocks' | 'missing'>): string => `pins: ${pins}, blocks: ${blocks}, missing blocks: ${missing}`

export async function crdtDot (context: ServiceContext, path: string | undefined): Promise<void> {
  await withState(context, async (state) => { await writeOut(context, path, 'the graph', dot(state)) })
}

async function * dot (state: OfflineCrdtState): AsyncGenerator<Uint8Array> {
  let text = `digraph CRDTDAG {\nsubgraph heads {\n${state.info().heads.map(({ cid }) => `${cid.toString()}\n`).join('')}}\n`
  for await (const block of state.blocks()) {
    text += dotNode(block)
    if (text.length < 1 << 16) continue
    yield Buffer.from(text)
    text = ''
  }
  yield Buffer.from(`${text}}\n`)
}

function dotNode ({ cid, links, delta }: DeltaBlock): string {
  const name = cid.toString()
  const children = links.map(String)
  return `${name} [label="${delta.priority} | ${name.slice(-4)}: +${delta.elements.length} -${delta.tombstones.length}"]\n` +
    `${name} -> {${children.map((child) => `${child} `).join('')}}\nsubgraph sg_${name} {\n${children.map((child) => `${child}\n`).join('')}}\n`
}

export async function crdtMark (context: ServiceContext, dirty: boolean): Promise<void> {
  const missing = await withState(context, async (state) => {
    await doing('marking the state', async () => { await state.setDirty(dirty) })
    return state.info().missing
  })
  context.out(`Datastore marked '${dirty ? 'dirty' : 'clean'}'\n`)
  if (!dirty && missing > 0) context.tell(`${missing} blocks are known to be missing: the running peer fetches them all the same\n`)
}

export async function crdtRepair (context: ServiceContext): Promise<void> {
  const { logger } = context
  const onDamage = ({ message }: StoreError): void => { context.tell(`${message}\nmending the files of the store\n`) }
  const info = await withFolder(context, async ({ path, namespace, pins }) => {
    if (pins !== undefined) await doing('repairing the pins of the embedded IPFS', async () => { await repairStore(pins, { onDamage }) })
    return await doing('repairing the datastore', async () => await repairState(path, { namespace, logger, onDamage }))
  })
  context.out(`Datastore repaired. ${countsText(info)}\n`)
}
