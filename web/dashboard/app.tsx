/** From what the page starts with to a session, and the frame around it. */
import { useCallback, useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { forgetLogin } from './memory.ts'
import { remoteSession } from './session-remote.ts'
import type { RemoteOptions } from './session-remote.ts'
import { tabSession } from './session-tab.ts'
import { decideStart, takeJoinLink } from './start.ts'
import type { Start, TakenLink } from './start.ts'
import { navigate, useRoute } from './route.ts'
import { Shell } from './shell.tsx'
import { Loading } from './ui/index.ts'
import { ConnectPage } from './views/connect.tsx'
import { JoinPage } from './views/connect-join.tsx'
import { LoginPage } from './views/connect-login.tsx'
import { ResumePage } from './views/connect-resume.tsx'
import type { Session } from './session.ts'
import type { WebPeer } from '../web-peer.ts'

type State = Start | { readonly kind: 'deciding' } | { readonly kind: 'session', readonly session: Session }

export function App ({ link }: { readonly link: TakenLink }): JSX.Element {
  const [state, setState] = useState<State>({ kind: 'deciding' })
  const route = useRoute()

  const chooseAgain = useCallback(() => { setState({ kind: 'connect' }) }, [])
  const openRemote = useCallback((options: RemoteOptions) => {
    const askAgain = (): void => {
      void session.close()
      forgetLogin(options.url)
      setState({ kind: 'login', url: options.url })
    }
    const session = remoteSession(options, { onLeft: chooseAgain, onRefused: askAgain })
    setState({ kind: 'session', session })
  }, [])
  const openTab = useCallback((peer: WebPeer, keepSecret: boolean) => {
    setState({ kind: 'session', session: tabSession(peer, { keepSecret }, chooseAgain) })
    if (location.hash.startsWith('#/connect')) navigate('pins')
  }, [])
  const go = useCallback((next: Start) => {
    if (next.kind === 'remote') openRemote(next.options)
    else setState(next)
  }, [])
  /** Ends the session before another one begins. */
  const replace = useCallback(async (next: Start) => {
    if (state.kind === 'session') await state.session.close()
    navigate('pins')
    go(next)
  }, [state])

  useEffect(() => {
    const abort = new AbortController()
    decideStart(link, abort.signal).then(go, (error: unknown) => { go({ kind: 'connect', problem: String(error) }) })
    return () => { abort.abort() }
  }, [])
  useEffect(() => {
    // A join link pasted into the address of the open page.
    const onHash = (): void => { if (location.hash.startsWith('#join=')) void decideStart(takeJoinLink(), AbortSignal.timeout(10_000)).then(replace) }
    addEventListener('hashchange', onHash)
    return () => { removeEventListener('hashchange', onHash) }
  }, [replace])

  switch (state.kind) {
    case 'deciding': return <Loading text="Looking for a peer…" />
    case 'join': return <JoinPage link={state.link} onJoined={openTab} onCancel={chooseAgain} />
    case 'resume': return <ResumePage name={state.name} keepSecret={state.keepSecret} onJoined={openTab} onOther={chooseAgain} />
    case 'login': return <LoginPage url={state.url} onOpen={openRemote} onCancel={chooseAgain} />
    case 'remote': return <Loading />
    case 'connect': return <ConnectPage problem={state.problem} onStart={go} />
    case 'session': return route.parts[0] === 'connect'
      ? <ConnectPage current={state.session.title} onStart={(next) => { void replace(next) }} />
      : <Shell session={state.session} />
  }
}
