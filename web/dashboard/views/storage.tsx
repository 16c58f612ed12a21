/** Where the content of this peer lies, and what room it has. */
import { useState } from 'preact/hooks'
import type { JSX } from 'preact'
import type { StorageState } from '../../../src/cluster/types.ts'
import type { Session } from '../session.ts'
import { Badge, Button, ErrorState, Facts, Loading, Meter, Panel, formatBytes, toast, useLoaded } from '../ui/index.ts'

const kinds: Readonly<Record<StorageState['kind'], string>> = { tab: 'this browser', kubo: 'a kubo of this peer', helia: 'the embedded store of this peer' }

export function StoragePanel ({ session }: { readonly session: Session }): JSX.Element {
  const [loaded, reload] = useLoaded(session, 'storage', async (signal) => await session.client.storage({ signal }), ['status:changed', 'pin:removed'])
  const [asking, setAsking] = useState(false)
  if (loaded.kind === 'loading') return <Panel title="Storage"><Loading /></Panel>
  if (loaded.kind === 'failed') return <Panel title="Storage"><ErrorState title="The storage could not be read" error={loaded.error} onRetry={reload} /></Panel>
  const { kind, repoSize, storageMax, persisted } = loaded.value
  const { peer } = session
  const ask = async (): Promise<void> => {
    setAsking(true)
    const granted = await peer?.persist() === true
    setAsking(false)
    toast({ text: granted ? 'The browser keeps this data now' : 'The browser does not promise it: it may ask again after you have used this page for a while' })
    reload()
  }
  return (
    <Panel title="Storage" aside={persisted === undefined ? undefined : <Badge tone={persisted ? 'good' : 'busy'}>{persisted ? 'kept by the browser' : 'may be evicted'}</Badge>}>
      <Meter label="Storage used" value={storageMax === 0n ? 0 : Number(repoSize) / Number(storageMax)} text={`${formatBytes(repoSize)} of ${formatBytes(storageMax)}`} />
      <Facts items={[['Content is in', kinds[kind]], ['Free', formatBytes(storageMax > repoSize ? storageMax - repoSize : 0n)]]} />
      {kind === 'tab' && <p class="muted">A browser may throw away what a page stored when it needs room. The cluster knows: copies of tabs are shown apart from durable ones.</p>}
      {kind === 'tab' && persisted === false && peer !== undefined && <div><Button busy={asking} onClick={() => { void ask() }}>Ask the browser to keep it</Button></div>}
    </Panel>
  )
}
