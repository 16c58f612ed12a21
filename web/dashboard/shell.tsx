/** The frame around every view: head, navigation, the banner when the peer is out of reach. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { AddDrop } from './views/add-drop.tsx'
import { AddView } from './views/add.tsx'
import { ActivityView } from './views/activity.tsx'
import { recorderOf } from './views/activity/use-log.ts'
import { InviteDialog } from './views/invite.tsx'
import { PeersView } from './views/peers.tsx'
import { PinView } from './views/pin.tsx'
import { PinsView } from './views/pins.tsx'
import { SettingsView } from './views/settings.tsx'
import { Mark } from './ui/mark.tsx'
import { hrefOf, useRoute } from './route.ts'
import { Badge, Button, ConfirmHost, Empty, Icon, LinkButton, Toasts, useLiveState } from './ui/index.ts'
import type { IconName, Tone } from './ui/index.ts'
import { noMember } from './live.ts'
import type { Route } from './route.ts'
import type { LiveState, Session } from './session.ts'

const places: ReadonlyArray<readonly [string, string, IconName]> = [
  ['pins', 'Pins', 'pin'], ['add', 'Add', 'add'], ['peers', 'Peers', 'peers'], ['activity', 'Activity', 'activity'], ['settings', 'Settings', 'settings']
]
const titles = new Map(places.map(([name, title]) => [name, title]))

const words: Readonly<Record<LiveState, readonly [Tone, string]>> = { connecting: ['busy', 'Connecting'], live: ['good', 'Live'], offline: ['bad', 'Offline'] }

function View ({ session, route }: { readonly session: Session, readonly route: Route }): JSX.Element {
  const [place, cid] = route.parts
  if (place === 'pins') return cid === undefined ? <PinsView session={session} /> : <PinView key={cid} session={session} cid={cid} />
  if (place === 'add') return <AddView session={session} />
  if (place === 'peers') return <PeersView session={session} />
  if (place === 'activity') return <ActivityView session={session} />
  if (place === 'settings') return <SettingsView session={session} />
  return <Empty icon="search" title="Nothing is here" action={<LinkButton href={hrefOf('pins')}>Go to the pins</LinkButton>} />
}

function Head ({ session, state }: { readonly session: Session, readonly state: LiveState }): JSX.Element {
  const [inviting, setInviting] = useState(false)
  const [tone, word] = words[state]
  return (
    <header class="top">
      <div class="brand"><Mark /><span class="brand-name" title={session.title}>{session.title}</span></div>
      <a class="top-mode" href={hrefOf('connect')} title="Show another peer" aria-label={`${session.mode === 'tab' ? 'Peer in this browser' : 'Remote peer'}: show another peer`}><Icon name={session.mode === 'tab' ? 'tab' : 'server'} /><span>{session.mode === 'tab' ? 'Peer in this browser' : 'Remote peer'}</span></a>
      <div class="top-end">
        <span role="status" aria-live="polite"><Badge tone={tone}>{word}</Badge></span>
        <Button icon="invite" onClick={() => { setInviting(true) }}>Invite</Button>
      </div>
      {inviting && <InviteDialog session={session} onClose={() => { setInviting(false) }} />}
    </header>
  )
}

function offlineText ({ mode, live: { failure } }: Session): string {
  const reason = failure === undefined ? '' : ` (${failure})`
  if (mode === 'remote') return `The peer does not answer${reason}. What you see may be old.`
  return failure === noMember ? 'No member is in reach. What you change is shared once one is.' : `The peer of this browser has stopped${reason}.`
}

function Banner ({ session }: { readonly session: Session }): JSX.Element {
  return (
    <div class="banner" role="status">
      <Icon name="offline" />
      <p>{offlineText(session)}</p>
      <Button icon="recover" onClick={session.live.retry}>Try now</Button>
    </div>
  )
}

/** Everything a session shows. */
export function Shell ({ session }: { readonly session: Session }): JSX.Element {
  const route = useRoute()
  const main = useRef<HTMLElement>(null)
  const place = route.parts[0] ?? 'pins'
  const address = route.parts.join('/')
  const state = useLiveState(session.live)
  const isFirst = useRef(true)
  // Events are collected from the start, whatever view is shown.
  useEffect(() => { recorderOf(session) }, [session])
  useEffect(() => {
    document.title = `${titles.get(place) ?? 'Pin'} · ${session.title} · pinswarm`
    // A new view is read from its start; the first one leaves the focus where the browser put it.
    if (!isFirst.current) main.current?.focus()
    isFirst.current = false
  }, [address])
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus() }}>Skip to content</a>
      <Head session={session} state={state} />
      {state === 'offline' && <Banner session={session} />}
      <nav class="nav" aria-label="Main">
        <ul>{places.map(([name, title, icon]) => <li key={name}><a href={hrefOf(name)} aria-current={name === place ? 'page' : undefined}><Icon name={icon} size={18} />{title}</a></li>)}</ul>
      </nav>
      <main class="main" id="main" ref={main} tabIndex={-1}><View session={session} route={route} /></main>
      <AddDrop />
      <ConfirmHost />
      <Toasts />
    </div>
  )
}
