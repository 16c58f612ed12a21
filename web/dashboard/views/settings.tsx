/** The theme, where this page is connected, and the way out. */
import type { JSX } from 'preact'
import { hrefOf } from '../route.ts'
import type { Session } from '../session.ts'
import { useTheme } from '../theme.ts'
import { Button, Choice, CopyText, ErrorState, Facts, LinkButton, Loading, Notice, Panel, ViewHead, confirm, toastError, useLoaded } from '../ui/index.ts'
import type { WebPeer } from '../../web-peer.ts'
import { StoragePanel } from './storage.tsx'
import { useEffect, useState } from 'preact/hooks'

const rolesOfTab: Readonly<Record<WebPeer['role'], string>> = {
  electing: 'finding out whether another tab runs the peer', leader: 'the peer runs in this tab', follower: 'the peer runs in another tab of this browser', stopped: 'stopped'
}

function useRole (peer: WebPeer): WebPeer['role'] {
  const [role, setRole] = useState(peer.role)
  useEffect(() => {
    const onChange = (): void => { setRole(peer.role) }
    onChange()
    peer.addEventListener('role:changed', onChange)
    return () => { peer.removeEventListener('role:changed', onChange) }
  }, [peer])
  return role
}

function TabFacts ({ peer }: { readonly peer: WebPeer }): JSX.Element {
  const role = useRole(peer)
  const { joined } = peer
  return (
    <Facts items={[
      ['Cluster', joined.clusterName],
      ['Role', joined.role === 'reader' ? 'reader: it follows and changes nothing' : 'member: it may change the pinset where others trust it'],
      ['Trusted peers', joined.trustedPeers === '*' ? 'everybody' : joined.trustedPeers.length === 0 ? 'none but itself' : joined.trustedPeers.map((id) => <CopyText key={id.toString()} text={id.toString()} label="Copy the peer ID" />)],
      ['This tab', rolesOfTab[role]]
    ]} />
  )
}

function ConnectionPanel ({ session }: { readonly session: Session }): JSX.Element {
  const [loaded, reload] = useLoaded(session, 'id', async (signal) => await session.client.id({ signal }), ['peer:connected'])
  if (loaded.kind === 'loading') return <Panel title="Peer"><Loading /></Panel>
  if (loaded.kind === 'failed') return <Panel title="Peer"><ErrorState title="The peer does not answer" error={loaded.error} onRetry={reload} /></Panel>
  const { id, peerName, version, addresses, ipfs } = loaded.value
  return (
    <Panel title="Peer">
      <Facts items={[
        ['Name', peerName], ['Peer ID', <CopyText key="id" text={id.toString()} label="Copy the peer ID" />], ['Version', version],
        ['IPFS', ipfs === undefined || ipfs.error !== '' ? ipfs?.error ?? '–' : <CopyText key="ipfs" text={ipfs.id?.toString() ?? ''} label="Copy the IPFS ID" />],
        ['Addresses', addresses.length === 0 ? 'none yet' : <ul key="addresses" class="ids">{addresses.map((address) => <li key={address.toString()}><CopyText text={address.toString()} label="Copy the address" tail={16} /></li>)}</ul>]
      ]} />
      {session.peer !== undefined && <TabFacts peer={session.peer} />}
    </Panel>
  )
}

async function leave (session: Session): Promise<void> {
  const isTab = session.mode === 'tab'
  const sure = await confirm(isTab
    ? { title: `Leave ${session.title}?`, text: 'This browser forgets the cluster, its secret and its own identity, and deletes the content it kept. The pinset of the cluster stays as it is.', action: 'Leave and delete', danger: true }
    : { title: 'Log out?', text: 'This page forgets the peer and the login.', action: 'Log out' })
  if (!sure) return
  try { await session.leave() } catch (error) { toastError(isTab ? 'The cluster could not be left' : 'Could not log out', error) }
}

export function SettingsView ({ session }: { readonly session: Session }): JSX.Element {
  const [theme, setTheme] = useTheme()
  const isTab = session.mode === 'tab'
  return (
    <div class="view narrow">
      <ViewHead title="Settings" />
      <Panel title="Appearance"><Choice label="Theme" value={theme} options={[['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']]} onChange={setTheme} /></Panel>
      <ConnectionPanel session={session} />
      <StoragePanel session={session} />
      <Panel title={isTab ? 'Membership' : 'Session'}>
        <Notice>{isTab ? 'Leaving deletes everything that this browser keeps for the cluster.' : `This page shows the peer at ${session.title}.`}</Notice>
        <div class="view-actions"><LinkButton href={hrefOf('connect')} icon="server">Show another peer</LinkButton><Button tone={isTab ? 'danger' : 'plain'} icon="leave" onClick={() => { void leave(session) }}>{isTab ? 'Leave the cluster' : 'Log out'}</Button></div>
      </Panel>
    </div>
  )
}
