/** The peer of this browser starts again. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import type { WebPeer } from '../../web-peer.ts'
import { missingFeatures, startTabPeer } from '../session-tab.ts'
import { Button, ErrorState, Field, Loading } from '../ui/index.ts'
import { ConnectFrame } from './connect-frame.tsx'
import { MissingFeatures, isSecret } from './connect-join.tsx'

interface Props {
  readonly name: string
  readonly keepSecret: boolean
  readonly onJoined: (peer: WebPeer, keepSecret: boolean) => void
  readonly onOther: () => void
}

function SecretForm ({ onSecret }: { readonly onSecret: (secret: string) => void }): JSX.Element {
  const [text, setText] = useState('')
  const [error, setError] = useState<string>()
  const submit = (event: Event): void => {
    event.preventDefault()
    if (isSecret(text)) onSecret(text.trim().toLowerCase())
    else setError('The secret has 64 characters, 0–9 and a–f.')
  }
  return (
    <form class="form boxed" onSubmit={submit}>
      <Field label="Cluster secret" type="password" mono autofocus required value={text} onInput={(value) => { setText(value); setError(undefined) }} error={error} hint="It was not kept on this device." />
      <div class="form-actions"><Button type="submit" tone="primary">Start</Button></div>
    </form>
  )
}

export function ResumePage ({ name, keepSecret, onJoined, onOther }: Props): JSX.Element {
  const [secret, setSecret] = useState<string>()
  const [error, setError] = useState<unknown>()
  const [isAsked, setIsAsked] = useState(!keepSecret)
  const [round, setRound] = useState(0)
  const missing = missingFeatures()
  const isReady = missing.length === 0 && (!isAsked || secret !== undefined)
  const setProblem = (failure: unknown): void => {
    if (!(failure instanceof Error) || failure.name !== 'SecretNeededError') return setError(failure)
    setSecret(undefined)
    setIsAsked(true)
  }
  useEffect(() => {
    if (!isReady) return undefined
    let isWanted = true
    startTabPeer({ secret, keepSecret }).then(
      (peer) => { if (isWanted) onJoined(peer, keepSecret); else void peer.stop() },
      (failure: unknown) => { if (isWanted) setProblem(failure) }
    )
    return () => { isWanted = false }
  }, [isReady, round])
  const again = (): void => { setError(undefined); setSecret(undefined); setRound(round + 1) }
  return (
    <ConnectFrame title={name} lead="This browser is a peer of the cluster.">
      {missing.length > 0 && <MissingFeatures missing={missing} />}
      {missing.length === 0 && !isReady && error === undefined && <SecretForm onSecret={setSecret} />}
      {isReady && error === undefined && <Loading text="Starting the peer…" />}
      {error !== undefined && <ErrorState title="The peer did not start" error={error} onRetry={again} />}
      <div class="form-actions centred"><Button tone="quiet" onClick={onOther}>Show another peer</Button></div>
    </ConnectFrame>
  )
}
