/** The members: who they are, how they are connected, what room and work they have. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import '../styles/peers.css'
import { Badge, Button, CopyText, Dialog, Empty, ErrorState, Facts, Loading, MiddleText, Panel, Table, Tag, ViewHead, confirm, formatAge, formatBytes, formatCount, formatTime, plural, shorten, toast, toastError, useLoaded } from '../ui/index.ts'
import type { Column } from '../ui/index.ts'
import type { Session } from '../session.ts'
import { NetworkGraph } from './network/graph.tsx'
import { loadPeers } from './network/peer-rows.ts'
import type { PeerRow, PeersState } from './network/peer-rows.ts'

/** Room and queues are metrics, which have no event: asked again as often as peers publish them, in ms. */
const metricsInterval = 15_000

const nameOf = ({ id, name }: PeerRow): string => name === '' ? shorten(id, 0, 8) : name

const columns = (open: (row: PeerRow) => void): ReadonlyArray<Column<PeerRow>> => [
  { key: 'name', title: 'Peer', cell: (row) => <span class="peer-name"><button type="button" class="link" onClick={() => { open(row) }}>{nameOf(row)}</button>{row.isTab && <Tag>tab</Tag>}{row.isSelf && <Tag>this peer</Tag>}</span> },
  { key: 'state', title: 'State', cell: ({ error, ipfs }) => error !== '' ? <Badge tone="bad" title={error}>no answer</Badge> : ipfs !== undefined && ipfs.error !== '' ? <Badge tone="busy" title={ipfs.error}>IPFS down</Badge> : <Badge tone="good">up</Badge> },
  { key: 'links', title: 'Links', numeric: true, cell: ({ links }) => formatCount(links.length) },
  { key: 'free', title: 'Free', numeric: true, cell: ({ free }) => free === undefined ? '–' : formatBytes(free) },
  { key: 'queue', title: 'Queue', numeric: true, wideOnly: true, cell: ({ queue }) => queue === undefined ? '–' : formatCount(queue) },
  { key: 'version', title: 'Version', wideOnly: true, cell: ({ version }) => version === '' ? '–' : version },
  { key: 'seen', title: 'Last ping', numeric: true, wideOnly: true, cell: ({ seen }) => <time title={formatTime(seen)}>{formatAge(seen)}</time> }
]

async function removePeer (session: Session, row: PeerRow, done: () => void): Promise<void> {
  const sure = await confirm({ title: `Remove ${nameOf(row)}?`, text: 'What it holds is given to other peers, unless repinning is off. A peer that still runs comes back by itself with its next ping.', action: 'Remove', danger: true })
  if (!sure) return
  try {
    await session.client.peerRemove(row.id)
    toast({ text: `${nameOf(row)} was removed` })
    done()
  } catch (error) {
    toastError(`${nameOf(row)} could not be removed`, error)
  }
}

function PeerDialog ({ session, row, state, onClose, onRemoved }: { readonly session: Session, readonly row: PeerRow, readonly state: PeersState, readonly onClose: () => void, readonly onRemoved: () => void }): JSX.Element {
  const linked = row.links.map((id) => state.rows.find((other) => other.id === id) ?? id)
  return (
    <Dialog title={nameOf(row)} wide onClose={onClose} actions={<>{!row.isSelf && <Button tone="danger" icon="trash" onClick={() => { onClose(); void removePeer(session, row, onRemoved) }}>Remove from the cluster</Button>}<Button onClick={onClose}>Close</Button></>}>
      <Facts items={[
        ['Peer ID', <CopyText key="id" text={row.id} label="Copy the peer ID" />],
        ['Kind', row.isTab ? 'A browser tab: it may vanish at any moment, its copies are not counted as durable.' : 'A full peer'],
        ...row.error === '' ? [] : [['Answer', row.error] as const],
        ['Version', row.version === '' ? '–' : row.version],
        ['IPFS', row.ipfs === undefined ? '–' : row.ipfs.error === '' ? <MiddleText key="ipfs" text={row.ipfs.id} /> : row.ipfs.error],
        ['Free space', row.free === undefined ? 'not published' : formatBytes(row.free)],
        ['Connected to', linked.length === 0 ? 'nobody that it told of' : linked.map((other) => typeof other === 'string' ? shorten(other, 0, 8) : nameOf(other)).join(', ')]
      ]} />
      <h3>Addresses</h3>
      {row.addresses.length === 0 ? <p class="muted">It announces none.</p> : <ul class="addresses">{row.addresses.map((address) => <li key={address}><CopyText text={address} label="Copy the address" tail={16} /></li>)}</ul>}
    </Dialog>
  )
}

export function PeersView ({ session }: { readonly session: Session }): JSX.Element {
  const [loaded, reload] = useLoaded(session, 'peers', async (signal) => await loadPeers(session, signal), ['peer:connected', 'peer:disconnected', 'alert:raised'])
  const [open, setOpen] = useState<string>()
  useEffect(() => {
    const timer = setInterval(() => { if (document.visibilityState === 'visible') reload() }, metricsInterval)
    return () => { clearInterval(timer) }
  }, [reload])
  if (loaded.kind === 'loading') return <div class="view"><ViewHead title="Peers" /><Loading text="Asking the peers…" /></div>
  if (loaded.kind === 'failed') return <div class="view"><ViewHead title="Peers" /><ErrorState title="The peers could not be listed" error={loaded.error} onRetry={reload} /></div>
  const { rows, graph } = loaded.value
  const tabs = rows.filter(({ isTab }) => isTab).length
  const chosen = rows.find(({ id }) => id === open)
  return (
    <div class="view">
      <ViewHead title="Peers" note={`${plural(rows.length - tabs, 'peer')}${tabs > 0 ? ` and ${plural(tabs, 'browser tab')}` : ''}`} />
      <Panel title="Network">
        {rows.length < 2
          ? <Empty icon="peers" title="Only this peer so far">Invite another one: the button is at the top.</Empty>
          : <NetworkGraph graph={graph} rows={rows} />}
      </Panel>
      <Panel title="Members"><Table caption="Members of the cluster" columns={columns(({ id }) => { setOpen(id) })} rows={rows} keyOf={({ id }) => id} /></Panel>
      {chosen !== undefined && <PeerDialog session={session} row={chosen} state={loaded.value} onClose={() => { setOpen(undefined) }} onRemoved={reload} />}
    </div>
  )
}
