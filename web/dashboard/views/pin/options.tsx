/** What the pin was asked to be, and changing it. */
import { useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { errorText } from '../../../../src/component.ts'
import { isEverywhere } from '../../../../src/pin/pin.ts'
import type { Pin } from '../../../../src/pin/pin.ts'
import { requestOf, titleOf } from '../../actions.ts'
import type { Session } from '../../session.ts'
import { Button, Dialog, Facts, MiddleText, Notice, Panel, Tag, formatBytes, formatTime, toast } from '../../ui/index.ts'
import { OptionsFields, draftOf, requestFrom } from '../pin-options.tsx'
import type { OptionsError } from '../pin-options.tsx'

function replicationText (pin: Pin): string {
  if (isEverywhere(pin)) return 'Everywhere'
  const { replicationFactorMin: min, replicationFactorMax: max } = pin
  return min === max ? `${min} ${min === 1 ? 'copy' : 'copies'}` : `${min} to ${max} copies`
}

const names: Readonly<Record<Pin['type'], string>> = { pin: 'Pin', 'meta-pin': 'Sharded content', 'clusterdag-pin': 'Cluster DAG', 'shard-pin': 'Shard', 'bad-type': 'Unknown' }

export function PinFacts ({ pin, size }: { readonly pin: Pin, readonly size: number | undefined }): JSX.Element {
  const metadata = Object.entries(pin.metadata)
  return (
    <Panel title="Options">
      <Facts items={[
        ['Type', <>{names[pin.type]}{pin.mode === 'direct' && <> <Tag>direct</Tag></>}</>],
        ['Replication', replicationText(pin)],
        ...pin.allocations.length === 0 ? [] : [['Allocated to', <ul key="to" class="ids">{pin.allocations.map((peer) => <li key={peer.toString()}><MiddleText text={peer.toString()} tail={6} /></li>)}</ul>] as const],
        ...size === undefined ? [] : [['Size', formatBytes(size)] as const],
        ['Added', formatTime(pin.timestamp)],
        ['Expires', pin.expireAt === undefined ? 'Never' : formatTime(pin.expireAt)],
        ...pin.reference === undefined ? [] : [['Reference', <MiddleText key="reference" text={pin.reference.toString()} />] as const],
        ...metadata.map(([key, value]) => [key, value] as const)
      ]} />
    </Panel>
  )
}

export function EditDialog ({ session, pin, onClose }: { readonly session: Session, readonly pin: Pin, readonly onClose: () => void }): JSX.Element {
  const [draft, setDraft] = useState(() => draftOf(pin))
  const [error, setError] = useState<OptionsError>()
  const [failure, setFailure] = useState<string>()
  const [busy, setBusy] = useState(false)
  const save = async (): Promise<void> => {
    const made = requestFrom(draft)
    if ('error' in made) return setError(made.error)
    setBusy(true)
    try {
      const { request } = made
      // Allocations are chosen anew only where the factors change.
      const keeps = request.replicationFactorMin === pin.replicationFactorMin && request.replicationFactorMax === pin.replicationFactorMax
      await session.client.pin(pin.cid, { ...request, mode: pin.mode, origins: pin.origins, ...keeps ? { userAllocations: pin.allocations } : {} })
      toast({ text: `Changed ${titleOf(pin)}`, undo: async () => { await session.client.pin(pin.cid, requestOf(pin)) } })
      onClose()
    } catch (cause) {
      setFailure(errorText(cause))
      setBusy(false)
    }
  }
  return (
    <Dialog title="Edit options" onClose={onClose} actions={<><Button onClick={onClose}>Cancel</Button><Button tone="primary" busy={busy} onClick={() => { void save() }}>Save</Button></>}>
      <form class="form" onSubmit={(event) => { event.preventDefault(); void save() }}>
        <OptionsFields draft={draft} onChange={(next) => { setDraft(next); setError(undefined) }} error={error} open />
        {failure !== undefined && <Notice tone="error">Could not save: {failure}</Notice>}
        <button type="submit" hidden />
      </form>
    </Dialog>
  )
}
