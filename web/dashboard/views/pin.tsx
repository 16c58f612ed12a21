/** The life of one pin: who holds it, how far they are, what it was asked to be, and what is in it. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { CID } from 'multiformats/cid'
import { recover, requestOf, titleOf, unpin } from '../actions.ts'
import { hrefOf, navigate } from '../route.ts'
import type { Session } from '../session.ts'
import { Button, CopyText, Empty, ErrorState, LinkButton, Loading, toast, toastError } from '../ui/index.ts'
import type { Pin } from '../../../src/pin/pin.ts'
import { pinRequestError } from './pin/problem.ts'
import { PinContent } from './pin/content.tsx'
import { PinHolders } from './pin/holders.tsx'
import { EditDialog, PinFacts } from './pin/options.tsx'
import { usePinLife } from './pin/life.ts'
import type { PinLife } from './pin/life.ts'
import { pinListOf } from './pins/pin-list.ts'
import '../styles/pin.css'

function Absent ({ session, cid, last }: { readonly session: Session, readonly cid: string, readonly last: Pin | undefined }): JSX.Element {
  const again = (): void => {
    session.client.pin(cid, last === undefined ? {} : requestOf(last)).then((pin) => { toast({ text: `Pinned ${titleOf(pin)}` }) }, (error: unknown) => { toastError('Could not pin', error) })
  }
  return (
    <Empty icon="pin" title={last === undefined ? 'Not in the pinset' : 'Not pinned any more'} action={<><Button tone="primary" icon="pin" onClick={again}>{last === undefined ? 'Pin it' : 'Pin it again'}</Button><LinkButton href={hrefOf('pins')}>All pins</LinkButton></>}>
      The cluster does not keep this content.
    </Empty>
  )
}

function Actions ({ session, pin }: { readonly session: Session, readonly pin: Pin }): JSX.Element {
  const [editing, setEditing] = useState(false)
  const [busy, setBusy] = useState(false)
  const cid = pin.cid.toString()
  const run = (work: Promise<unknown>): void => {
    setBusy(true)
    void work.finally(() => { setBusy(false) })
  }
  return (
    <div class="view-actions">
      <Button icon="recover" busy={busy} onClick={() => { run(recover(session, [cid])) }}>Recover</Button>
      <Button icon="settings" onClick={() => { setEditing(true) }}>Edit</Button>
      <Button icon="trash" busy={busy} onClick={() => { run(unpin(session, [cid]).then((done) => { if (done) navigate('pins') })) }}>Unpin</Button>
      {editing && <EditDialog session={session} pin={pin} onClose={() => { setEditing(false) }} />}
    </div>
  )
}

function Body ({ session, cid, life }: { readonly session: Session, readonly cid: string, readonly life: PinLife }): JSX.Element {
  const { pin, statuses, progress, reload } = life
  if (pin.kind === 'loading') return <Loading text="Reading the pin…" />
  if (pin.kind === 'failed') return pinRequestError(pin.error) === 404 ? <Absent session={session} cid={cid} last={undefined} /> : <ErrorState title="The pin could not be read" error={pin.error} onRetry={reload} />
  if (life.isGone) return <Absent session={session} cid={cid} last={pin.value} />
  return (
    <div class="pin-columns">
      <div class="pin-column">
        <PinHolders session={session} pin={pin.value} statuses={statuses} progress={progress} onRetry={reload} />
        <PinContent session={session} cid={cid} name={pin.value.name} />
      </div>
      <PinFacts pin={pin.value} size={pinListOf(session).sizes.get(cid)} />
    </div>
  )
}

function PinPage ({ session, cid }: { readonly session: Session, readonly cid: string }): JSX.Element {
  const life = usePinLife(session, cid)
  const pin = life.pin.kind === 'loaded' ? life.pin.value : undefined
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && document.querySelector('dialog[open]') === null && !(event.target instanceof HTMLElement && event.target.closest('input, textarea, select') !== null)) navigate('pins')
    }
    addEventListener('keydown', onKey)
    return () => { removeEventListener('keydown', onKey) }
  }, [])
  return (
    <div class="view">
      <header class="view-head">
        <div class="view-title">
          <nav aria-label="Breadcrumb"><a class="back" href={hrefOf('pins')}>Pins</a></nav>
          <h1 class="pin-title">{pin === undefined || pin.name === '' ? 'Pin' : pin.name}</h1>
          <CopyText text={cid} label="Copy the CID" />
        </div>
        {pin !== undefined && !life.isGone && <Actions session={session} pin={pin} />}
      </header>
      <Body session={session} cid={cid} life={life} />
    </div>
  )
}

export function PinView ({ session, cid }: { readonly session: Session, readonly cid: string }): JSX.Element {
  let isCid = true
  try { CID.parse(cid) } catch { isCid = false }
  if (isCid) return <PinPage session={session} cid={cid} />
  return <div class="view"><h1>Pin</h1><Empty icon="warning" title="This is not a CID" action={<LinkButton href={hrefOf('pins')}>All pins</LinkButton>}>The address names no content.</Empty></div>
}
