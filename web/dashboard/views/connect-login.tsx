/** The login of a peer whose API asks who is there. */
import { useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { rememberLogin } from '../memory.ts'
import type { RemoteOptions } from '../session-remote.ts'
import { askApi } from '../start.ts'
import { Button, Checkbox, Field, Notice } from '../ui/index.ts'
import { ConnectFrame } from './connect-frame.tsx'

interface Props {
  readonly url: string
  readonly onOpen: (options: RemoteOptions) => void
  readonly onCancel: () => void
}

export function LoginPage ({ url, onOpen, onCancel }: Props): JSX.Element {
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [keep, setKeep] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const isBare = url.startsWith('http:') && !['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)
  const login = async (): Promise<void> => {
    setBusy(true)
    setError(undefined)
    const answer = await askApi(url, { user, password }, AbortSignal.timeout(15_000))
    setBusy(false)
    if (answer === 'login') return setError('This name and password are not accepted.')
    if (answer !== 'open') return setError(`The peer does not answer: ${answer.problem}`)
    if (keep) rememberLogin(url, { user, password })
    onOpen({ url, login: { user, password } })
  }
  return (
    <ConnectFrame title="Log in" lead={<>The peer at <span class="mono">{new URL(url).host}</span> asks who is there.</>}>
      <form class="form boxed" onSubmit={(event) => { event.preventDefault(); void login() }}>
        {isBare && <Notice tone="warning">This address is not encrypted: the password can be read on the way.</Notice>}
        <Field label="User" value={user} onInput={setUser} autocomplete="username" autofocus required />
        <Field label="Password" type="password" value={password} onInput={setPassword} autocomplete="current-password" required />
        <Checkbox label="Stay logged in until this tab closes" checked={keep} onChange={setKeep} />
        {error !== undefined && <Notice tone="error">{error}</Notice>}
        <div class="form-actions"><Button type="submit" tone="primary" busy={busy}>Log in</Button><Button onClick={onCancel}>Another peer</Button></div>
      </form>
    </ConnectFrame>
  )
}
