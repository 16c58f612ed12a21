/** A join link, as text and as a QR code. */
import { useMemo, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import encodeQR from 'qr'
import '../styles/invite.css'
import { encodeJoinFragment } from '../../../src/join/join-link.ts'
import type { JoinRole } from '../../../src/join/join-link.ts'
import type { Session } from '../session.ts'
import { Checkbox, Choice, CopyButton, Dialog, ErrorState, LinkButton, Loading, Notice, useLoaded } from '../ui/index.ts'

interface Offer {
  readonly url: string
  readonly hasSecret: boolean
  /** Only a browser on the same machine reaches these addresses. */
  readonly isLocal: boolean
}

const isLoopback = (address: string): boolean => /^\/(ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/)/.test(address)
/** The page itself, without what follows `#`: newcomers open the same dashboard. */
const pageUrl = (): string => location.href.replace(/#.*$/, '')

async function offer (session: Session, role: JoinRole, secret: boolean, signal: AbortSignal): Promise<Offer> {
  const of = (fragment: string, hasSecret: boolean, addresses: readonly { readonly toString: () => string }[]): Offer =>
    ({ url: `${pageUrl()}#${fragment}`, hasSecret, isLocal: addresses.length > 0 && addresses.every((address) => isLoopback(address.toString())) })
  if (session.peer !== undefined) {
    // A tab passes on what it joined through; the secret stays where it is.
    const { joined } = session.peer
    return of(encodeJoinFragment({ ...joined, role, secret: undefined }), false, joined.addresses)
  }
  const { fragment, hasSecret, addresses } = await session.client.invite({ role, secret, signal })
  return of(fragment, hasSecret, addresses)
}

function QrCode ({ text }: { readonly text: string }): JSX.Element {
  const rows = useMemo(() => encodeQR(text, 'raw', { ecc: 'low', border: 4 }), [text])
  const path = rows.map((row, y) => row.map((dark, x) => dark ? `M${x} ${y}h1v1h-1z` : '').join('')).join('')
  return <svg class="qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label="The join link as a QR code" shape-rendering="crispEdges"><rect width={rows.length} height={rows.length} fill="#fff" /><path d={path} fill="#000" /></svg>
}

function OfferView ({ offered: { url, hasSecret, isLocal }, wanted, isTab }: { readonly offered: Offer, readonly wanted: boolean, readonly isTab: boolean }): JSX.Element {
  const isPlain = url.startsWith('http://') && !/^http:\/\/(localhost|127\.|\[::1\])/.test(url)
  return (
    <div class="invite">
      <QrCode text={url} />
      <div class="invite-text">
        <p class="invite-link mono" data-testid="join-link" role="region" aria-label="The join link" tabIndex={0}>{url}</p>
        <div class="view-actions"><CopyButton text={url} label="Copy the link" words="Copy" /><LinkButton href={url} icon="open" external>Open in a new tab</LinkButton></div>
        {hasSecret
          ? <Notice tone="warning">The link holds the cluster secret: pass it on as you would a password.</Notice>
          : <Notice>The link does not hold the secret: whoever opens it is asked for it.{wanted && !isTab ? ' This peer tells the secret only to its own page on this machine, or to who has logged in.' : ''}</Notice>}
        {isLocal && <Notice tone="warning">The peer listens for browsers on this machine only: the link works here and nowhere else.</Notice>}
        {isPlain && <Notice tone="warning">Browsers let a page become a member only on https or on localhost. Elsewhere the link needs an https address: see api.restapi.ssl_cert_file.</Notice>}
      </div>
    </div>
  )
}

export function InviteDialog ({ session, onClose }: { readonly session: Session, readonly onClose: () => void }): JSX.Element {
  const [role, setRole] = useState<JoinRole>('member')
  const [secret, setSecret] = useState(true)
  const isTab = session.mode === 'tab'
  const [loaded, reload] = useLoaded(session, `invite ${role} ${String(secret)}`, async (signal) => await offer(session, role, secret, signal))
  return (
    <Dialog title="Invite to this cluster" wide onClose={onClose}>
      <Choice label="Role" value={role} options={[['member', 'Member'], ['reader', 'Reader']]} onChange={setRole} />
      <p class="muted">{role === 'reader' ? 'A reader follows the pinset and changes nothing. ' : 'A member may change the pinset where others trust it. '}Only trusted_peers in the configuration of the other peers enforces this.</p>
      {!isTab && <Checkbox label="Put the secret into the link" checked={secret} onChange={setSecret} hint="Without it the newcomer is asked for the secret." />}
      {loaded.kind === 'loading' && <Loading text="Making the link…" />}
      {loaded.kind === 'failed' && <ErrorState title="No link could be made" error={loaded.error} onRetry={reload} />}
      {loaded.kind === 'loaded' && <OfferView offered={loaded.value} wanted={secret} isTab={isTab} />}
    </Dialog>
  )
}
