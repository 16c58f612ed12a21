/** What a join link says, and joining by it. */
import { useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { errorText } from '../../../src/component.ts'
import type { JoinLink } from '../../../src/join/join-link.ts'
import type { WebPeer } from '../../web-peer.ts'
import { rememberedPlace } from '../memory.ts'
import { missingFeatures, startTabPeer } from '../session-tab.ts'
import { Button, Checkbox, Facts, Field, MiddleText, Notice, Panel, plural } from '../ui/index.ts'
import { ConnectFrame } from './connect-frame.tsx'

export const isSecret = (text: string): boolean => /^[0-9a-f]{64}$/i.test(text.trim())

/** What is missing to be a peer here. */
export function MissingFeatures ({ missing }: { readonly missing: readonly string[] }): JSX.Element {
  return (
    <Notice tone="warning">
      <p>This page cannot be a peer here. Missing:</p>
      <ul class="bullets">{missing.map((name) => <li key={name}>{name}</li>)}</ul>
      {!isSecureContext && <p>Open it by https: the peer that serves it can have a certificate (<code>ssl_cert_file</code>, <code>ssl_key_file</code>), or stand behind a reverse proxy. On the machine of the peer itself, <code>http://127.0.0.1</code> works.</p>}
    </Notice>
  )
}

const roles = {
  member: 'Member: you may add and remove pins where the others trust you.',
  reader: 'Reader: you follow the pinset and keep content, and change nothing.'
} as const

function Trusted ({ link }: { readonly link: JoinLink }): JSX.Element {
  if (link.trustedPeers === '*') return <>Every member may change the pinset</>
  return <ul class="ids" aria-label="Trusted peers">{link.trustedPeers.map((peer) => <li key={peer.toString()}><MiddleText text={peer.toString()} /></li>)}</ul>
}

function LinkFacts ({ link }: { readonly link: JoinLink }): JSX.Element {
  return (
    <Panel title="The link says">
      <Facts items={[
        ['Cluster', link.clusterName],
        ['Your role', roles[link.role]],
        ['Trusted peers', <Trusted key="trusted" link={link} />],
        ['Way in', plural(link.addresses.length, 'address', 'addresses')],
        ['Copies here', link.allowLightPeers ? 'Count toward replication' : 'Come on top of the durable ones']
      ]} />
      <p class="field-note">A link only tells you your role. What holds you to it is <code>trusted_peers</code> in the configuration of the other peers.</p>
    </Panel>
  )
}

interface Props {
  readonly link: JoinLink
  readonly onJoined: (peer: WebPeer, keepSecret: boolean) => void
  readonly onCancel: () => void
}

export function JoinPage ({ link, onJoined, onCancel }: Props): JSX.Element {
  const [secret, setSecret] = useState('')
  const [keepSecret, setKeepSecret] = useState(true)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const missing = missingFeatures()
  const place = rememberedPlace()
  const other = place?.mode === 'tab' && place.name !== link.clusterName ? place.name : undefined
  const join = async (): Promise<void> => {
    if (link.secret === undefined && !isSecret(secret)) return setError('The secret has 64 characters, 0–9 and a–f.')
    setBusy(true)
    setError(undefined)
    try {
      const peer = await startTabPeer({ join: link, keepSecret, ...link.secret === undefined ? { secret: secret.trim().toLowerCase() } : {} })
      onJoined(peer, keepSecret)
    } catch (failure) {
      setError(`Could not join: ${errorText(failure)}`)
      setBusy(false)
    }
  }
  return (
    <ConnectFrame title={`Join ${link.clusterName}`} lead="This browser becomes a peer of the cluster. It shares the pinset, and keeps content as long as a tab is open.">
      <LinkFacts link={link} />
      {missing.length > 0
        ? <><MissingFeatures missing={missing} /><div class="form-actions"><Button onClick={onCancel}>Do something else</Button></div></>
        : (
          <form class="form" onSubmit={(event) => { event.preventDefault(); void join() }}>
            {other !== undefined && <Notice tone="warning">This browser is a peer of {other}, and can be one of one cluster at a time. Close its other tabs first; what it stored of {other} stays until you leave.</Notice>}
            {link.secret === undefined && <Field label="Cluster secret" type="password" value={secret} onInput={(value) => { setSecret(value); setError(undefined) }} hint="The link carries none: ask who sent it." mono autofocus required />}
            <Checkbox label="Keep the secret on this device" checked={keepSecret} onChange={setKeepSecret} hint="Otherwise it is asked for after every reload." />
            {error !== undefined && <Notice tone="error">{error}</Notice>}
            <div class="form-actions"><Button type="submit" tone="primary" busy={busy} autofocus={link.secret !== undefined}>{busy ? 'Joining…' : 'Join'}</Button><Button onClick={onCancel} disabled={busy}>Cancel</Button></div>
          </form>
        )}
    </ConnectFrame>
  )
}
