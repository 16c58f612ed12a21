/** The first choice: become a peer by a join link, or show a peer that runs elsewhere. */
import { useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { decodeJoinLink } from '../../../src/join/join-link.ts'
import { errorText } from '../../../src/component.ts'
import { hrefOf } from '../route.ts'
import { rememberPlace, rememberedLogin, rememberedPlace } from '../memory.ts'
import { missingFeatures } from '../session-tab.ts'
import { askApi, servedBy } from '../start.ts'
import type { Start } from '../start.ts'
import { Button, Field, LinkButton, Notice, Panel } from '../ui/index.ts'
import { ConnectFrame } from './connect-frame.tsx'
import { MissingFeatures } from './connect-join.tsx'

interface Props {
  readonly onStart: (start: Start) => void
  readonly problem?: string | undefined
  /** Title of the session that is open. */
  readonly current?: string | undefined
}

/** What was typed as the address of an API; undefined where it cannot be one. */
export function apiAddress (text: string): string | undefined {
  const trimmed = text.trim()
  const address = /^https?:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`
  if (trimmed === '' || !URL.canParse(address)) return undefined
  const { origin, pathname } = new URL(address)
  return `${origin}${pathname.replace(/\/webui\/?$/, '')}`.replace(/\/+$/, '')
}

function JoinForm ({ onStart }: Pick<Props, 'onStart'>): JSX.Element {
  const [text, setText] = useState('')
  const [error, setError] = useState<string>()
  const missing = missingFeatures()
  const submit = (event: Event): void => {
    event.preventDefault()
    try {
      const link = decodeJoinLink(text.trim())
      if (link === undefined) setError('This is not a join link: it has no “#join=” in it.')
      else onStart({ kind: 'join', link })
    } catch (failure) {
      setError(errorText(failure))
    }
  }
  return (
    <Panel title="Join a cluster">
      <p class="muted">This browser becomes a peer: it shares the pinset and keeps content, as long as a tab is open.</p>
      {missing.length > 0
        ? <MissingFeatures missing={missing} />
        : (
          <form class="form" onSubmit={submit}>
            <Field label="Join link" value={text} onInput={(value) => { setText(value); setError(undefined) }} error={error} mono placeholder="https://…/#join=…" required />
            <div class="form-actions"><Button type="submit" tone="primary">Continue</Button></div>
          </form>
        )}
    </Panel>
  )
}

function RemoteForm ({ onStart }: Pick<Props, 'onStart'>): JSX.Element {
  const place = rememberedPlace()
  const [text, setText] = useState(place?.mode === 'remote' ? place.url : servedBy(location))
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const open = async (): Promise<void> => {
    const url = apiAddress(text)
    if (url === undefined) return setError('This is not an address.')
    setBusy(true)
    const login = rememberedLogin(url)
    const answer = await askApi(url, login, AbortSignal.timeout(15_000))
    setBusy(false)
    if (typeof answer === 'object') return setError(`No peer answers there, or it does not allow this page to ask (CORS): ${answer.problem}`)
    rememberPlace({ mode: 'remote', url })
    onStart(answer === 'login' ? { kind: 'login', url } : { kind: 'remote', options: { url, login } })
  }
  return (
    <Panel title="Show a remote peer">
      <p class="muted">The dashboard of a peer that runs elsewhere, through its REST API.</p>
      <form class="form" onSubmit={(event) => { event.preventDefault(); void open() }}>
        <Field label="Address of the REST API" type="url" value={text} onInput={(value) => { setText(value); setError(undefined) }} error={error} mono placeholder="http://127.0.0.1:9094" required />
        <div class="form-actions"><Button type="submit" busy={busy}>Connect</Button></div>
      </form>
    </Panel>
  )
}

export function ConnectPage ({ onStart, problem, current }: Props): JSX.Element {
  const place = rememberedPlace()
  return (
    <ConnectFrame title="Which peer?" lead="A dashboard shows one peer and, through it, the whole cluster.">
      {problem !== undefined && <Notice tone="error">{problem}</Notice>}
      {current !== undefined && <div class="form-actions"><LinkButton icon="back" href={hrefOf('pins')}>Back to {current}</LinkButton></div>}
      {current === undefined && place?.mode === 'tab' && (
        <Panel title={`Peer of ${place.name}`}>
          <p class="muted">This browser is a member of the cluster already.</p>
          <div class="form-actions"><Button tone="primary" icon="tab" onClick={() => { onStart({ kind: 'resume', name: place.name, keepSecret: place.keepSecret }) }}>Continue</Button></div>
        </Panel>
      )}
      <JoinForm onStart={onStart} />
      <RemoteForm onStart={onStart} />
    </ConnectFrame>
  )
}
