/** What the peer is doing: how far its pinset is, what it fetches, what went wrong, what happened. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import '../styles/activity.css'
import type { SyncState } from '../../../src/cluster/types.ts'
import { membersOf } from '../members.ts'
import { hrefOf } from '../route.ts'
import type { Session } from '../session.ts'
import { Badge, Button, Empty, ErrorState, Facts, Loading, MiddleText, Panel, Progress, ViewHead, formatAge, formatBytes, formatCount, formatTime, plural, shorten, useLoaded } from '../ui/index.ts'
import { StoragePanel } from './storage.tsx'
import { useLog } from './activity/use-log.ts'
import type { Transfer } from './activity/use-log.ts'

/** The state as it was asked for, and then as events tell it. */
function useSync (session: Session): readonly [SyncState | undefined, unknown, () => void] {
  const [loaded, reload] = useLoaded(session, 'sync', async (signal) => await session.client.sync({ signal }), ['peer:connected'])
  const [told, setTold] = useState<SyncState>()
  useEffect(() => { setTold(undefined) }, [loaded])
  useEffect(() => session.live.subscribe(['sync:progressed'], (event) => { if (event.type === 'sync:progressed') setTold(event.data) }), [session])
  return [told ?? (loaded.kind === 'loaded' ? loaded.value : undefined), loaded.kind === 'failed' ? loaded.error : undefined, reload]
}

function SyncPanel ({ session }: { readonly session: Session }): JSX.Element {
  const [state, error, reload] = useSync(session)
  if (error !== undefined) return <Panel title="Pinset"><ErrorState title="The state could not be read" error={error} onRetry={reload} /></Panel>
  if (state === undefined) return <Panel title="Pinset"><Loading /></Panel>
  const { synced, known, heads, height, pins, pinQueued, pinning, pinError } = state
  const isWhole = synced >= known
  return (
    <Panel title="Pinset" aside={<span role="status">{isWhole ? <Badge tone="good">in sync</Badge> : <Badge tone="busy">{formatCount(known - synced)} to fetch</Badge>}</span>}>
      <Progress label="Changes of the pinset that are here" value={known === 0 ? 1 : synced / known} text={`${formatCount(synced)} of ${plural(known, 'change')}`} />
      <Facts items={[
        ['Pins', <span key="pins" class="num">{formatCount(pins)}</span>],
        ['Heads', <span key="heads" class="num">{formatCount(heads)}</span>],
        ['Height', <span key="height" class="num">{formatCount(height)}</span>],
        ['Waiting', <span key="queue" class="num">{formatCount(pinQueued)} queued, {formatCount(pinning)} pinning</span>],
        ['Errors', pinError === 0 ? '0' : <a key="errors" href={`${hrefOf('pins')}?status=error`}>{formatCount(pinError)}</a>]
      ]} />
    </Panel>
  )
}

function TransferRow ({ transfer: { cid, blocks, bytes, totalBytes } }: { readonly transfer: Transfer }): JSX.Element {
  const id = cid.toString()
  const amount = bytes === undefined ? plural(blocks, 'block') : `${formatBytes(bytes)}${totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`}, ${plural(blocks, 'block')}`
  const share = bytes === undefined || totalBytes === undefined || totalBytes === 0 ? undefined : bytes / totalBytes
  return <li><a href={hrefOf('pins', id)}><MiddleText text={id} /></a><Progress label={`Progress of ${shorten(id)}`} value={share} text={share === undefined ? amount : `${Math.round(Math.min(1, share) * 100)} %, ${amount}`} /></li>
}

function AlertsPanel ({ session }: { readonly session: Session }): JSX.Element {
  const members = membersOf(session)
  const [loaded, reload] = useLoaded(session, 'alerts', async (signal) => {
    await members.known()
    return await session.client.alerts({ signal })
  }, ['alert:raised'])
  /** Alerts up to this time were seen. */
  const [seen, setSeen] = useState(0)
  if (loaded.kind === 'loading') return <Panel title="Alerts"><Loading /></Panel>
  if (loaded.kind === 'failed') return <Panel title="Alerts"><ErrorState title="The alerts could not be read" error={loaded.error} onRetry={reload} /></Panel>
  const alerts = loaded.value.filter(({ triggeredAt }) => triggeredAt > seen).toSorted((one, other) => other.triggeredAt - one.triggeredAt)
  const nameOf = (id: string): string => { const name = members.nameOf(id); return name === '' ? `peer ${shorten(id, 0, 8)}` : name }
  return (
    <Panel title="Alerts" aside={alerts.length > 0 && <Button tone="quiet" icon="check" onClick={() => { setSeen(Date.now()) }}>Mark as seen</Button>}>
      {alerts.length === 0
        ? <p class="muted">None. An alert is raised when a peer stops to tell of itself.</p>
        : <ul class="lines">{alerts.map(({ peer, name, triggeredAt }) => <li key={`${peer.toString()} ${name} ${triggeredAt}`}><Badge tone="bad">{nameOf(peer.toString())} told no {name} any more</Badge><time class="num muted" title={formatTime(triggeredAt)}>{formatAge(triggeredAt)}</time></li>)}</ul>}
    </Panel>
  )
}

export function ActivityView ({ session }: { readonly session: Session }): JSX.Element {
  const [paused, setPaused] = useState(false)
  const { lines, transfers, clear } = useLog(session, paused)
  return (
    <div class="view">
      <ViewHead title="Activity" />
      <div class="activity-columns">
        <div class="activity-column">
          <SyncPanel session={session} />
          <StoragePanel session={session} />
        </div>
        <div class="activity-column">
          <Panel title="Transfers">{transfers.length === 0 ? <p class="muted">Nothing is being fetched.</p> : <ul class="transfers">{transfers.map((transfer) => <TransferRow key={transfer.cid.toString()} transfer={transfer} />)}</ul>}</Panel>
          <AlertsPanel session={session} />
          <Panel title="Events" aside={<span class="view-actions"><Button tone="quiet" pressed={paused} onClick={() => { setPaused(!paused) }}>{paused ? 'Go on' : 'Pause'}</Button><Button tone="quiet" disabled={lines.length === 0} onClick={clear}>Clear</Button></span>}>
            {lines.length === 0
              ? <Empty icon="activity" title="Quiet so far">What happens at this peer appears here while the page is open.</Empty>
              : <ol class="lines log" tabIndex={0} aria-label="Events, newest first">{lines.map(({ key, time, tone, text, cid }) => <li key={key}><Badge tone={tone}>{cid === undefined ? text : <a href={hrefOf('pins', cid)}>{text}</a>}</Badge><time class="num muted" title={formatTime(time)}>{new Date(time).toLocaleTimeString('en', { hour12: false })}</time></li>)}</ol>}
          </Panel>
        </div>
      </div>
    </div>
  )
}
