/** Who holds the pin, and how far the others are. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { isEverywhere } from '../../../../src/pin/pin.ts'
import type { Pin } from '../../../../src/pin/pin.ts'
import type { PinInfoShort } from '../../../../src/pin/pin-info.ts'
import type { PinProgress } from '../../../../src/tracker/tracker.ts'
import { membersOf } from '../../members.ts'
import type { Members } from '../../members.ts'
import type { Session } from '../../session.ts'
import { ErrorState, Loading, MiddleText, Panel, Progress, StatusBadge, Table, Tag, formatAge, formatBytes, formatCount, formatTime, plural } from '../../ui/index.ts'
import type { Column, Loaded } from '../../ui/index.ts'
import type { Statuses } from './life.ts'

interface Row { readonly peer: string, readonly info: PinInfoShort, readonly isTab: boolean, readonly isSelf: boolean }

const columns: ReadonlyArray<Column<Row>> = [
  { key: 'peer', title: 'Peer', cell: ({ peer, info, isTab, isSelf }) => <span class="holder"><strong>{info.peerName === '' ? <MiddleText text={peer} tail={6} /> : info.peerName}</strong>{isTab && <Tag>tab</Tag>}{isSelf && <Tag>this peer</Tag>}</span> },
  { key: 'status', title: 'Status', cell: ({ info }) => <div><StatusBadge status={info.status} />{info.error !== '' && <p class="holder-error">{info.error}</p>}</div> },
  { key: 'attempts', title: 'Attempts', numeric: true, wideOnly: true, cell: ({ info }) => info.attemptCount === 0 ? '' : formatCount(info.attemptCount) },
  { key: 'since', title: 'Since', numeric: true, cell: ({ info }) => <time title={formatTime(info.timestamp)}>{formatAge(info.timestamp)}</time> }
]

const weight = ({ info: { status, error } }: Row): number => error !== '' || status === 'pin_error' ? 0 : status === 'pinning' || status === 'pin_queued' ? 1 : status === 'pinned' ? 2 : 3

function useMembers (session: Session): Members {
  const members = membersOf(session)
  const [, setRound] = useState(0)
  useEffect(() => {
    void members.known()
    return members.onChange(() => { setRound((round) => round + 1) })
  }, [members])
  return members
}

function ProgressLine ({ progress }: { readonly progress: PinProgress }): JSX.Element {
  const { blocks, bytes, totalBytes } = progress
  const amount = bytes === undefined ? plural(blocks, 'block') : `${formatBytes(bytes)}${totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`}, ${plural(blocks, 'block')}`
  return <Progress label="Progress on this peer" value={bytes === undefined || totalBytes === undefined || totalBytes === 0 ? undefined : bytes / totalBytes} text={amount} />
}

export interface PinHoldersProps {
  readonly session: Session
  readonly pin: Pin
  readonly statuses: Loaded<Statuses>
  readonly progress: PinProgress | undefined
  readonly onRetry: () => void
}

export function PinHolders ({ session, pin, statuses, progress, onRetry }: PinHoldersProps): JSX.Element {
  const members = useMembers(session)
  if (statuses.kind === 'loading') return <Panel title="Held by"><Loading text="Asking the peers…" /></Panel>
  if (statuses.kind === 'failed') return <Panel title="Held by"><ErrorState title="The peers could not be asked" error={statuses.error} onRetry={onRetry} /></Panel>
  const rows = [...statuses.value].map(([peer, info]): Row => ({ peer, info, isTab: members.isTab(peer), isSelf: peer === members.self })).toSorted((a, b) => weight(a) - weight(b) || a.info.peerName.localeCompare(b.info.peerName))
  const holding = rows.filter(({ info }) => info.status === 'pinned')
  const durable = holding.filter(({ isTab }) => !isTab).length
  const tabs = holding.length - durable
  const wanted = isEverywhere(pin) ? rows.filter(({ isTab }) => !isTab).length : pin.allocations.length
  return (
    <Panel title="Held by" aside={<p class="num" role="status"><strong>{durable} of {wanted}</strong> durable {wanted === 1 ? 'copy' : 'copies'}{tabs > 0 && <span class="muted">, and {plural(tabs, 'tab')}</span>}</p>}>
      {progress !== undefined && <ProgressLine progress={progress} />}
      <Table caption="What every peer says of this pin" columns={columns} rows={rows} keyOf={({ peer }) => peer} />
    </Panel>
  )
}
