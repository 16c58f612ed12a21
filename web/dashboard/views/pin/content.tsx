/** What is behind the CID: a folder to walk through, or a file to look at and take along. */
import { useState } from 'preact/hooks'
import type { JSX } from 'preact'
import type { DirectoryEntry, RemoteNode } from '../../../../src/api/client.ts'
import type { Session } from '../../session.ts'
import { Button, ErrorState, Icon, Loading, Panel, formatBytes, plural } from '../../ui/index.ts'
import { useLoaded } from '../../ui/hooks.ts'
import { FileContent } from './file.tsx'

const mostEntries = 2_000

export type Shown =
  | { readonly kind: 'directory', readonly entries: readonly DirectoryEntry[], readonly isCut: boolean }
  | { readonly kind: 'file', readonly size: number | undefined, readonly head: Uint8Array }
  | { readonly kind: 'symlink', readonly target: string }

async function entriesOf (entries: AsyncIterable<DirectoryEntry>): Promise<Shown> {
  const found: DirectoryEntry[] = []
  for await (const entry of entries) {
    if (found.length === mostEntries) return { kind: 'directory', entries: found, isCut: true }
    found.push(entry)
  }
  return { kind: 'directory', entries: found, isCut: false }
}

/** The first bytes of a file; reading ends there. */
async function headOf (content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const chunk of content) if (chunk.length > 0) return chunk.slice(0, 4096)
  return new Uint8Array(0)
}

async function look (node: RemoteNode): Promise<Shown> {
  switch (node.kind) {
    case 'directory': return await entriesOf(node.entries)
    case 'symlink': return node
    case 'file': return { kind: 'file', size: node.size === undefined ? undefined : Number(node.size), head: await headOf(node.content) }
  }
}

function Folder ({ entries, isCut, onOpen }: { readonly entries: readonly DirectoryEntry[], readonly isCut: boolean, readonly onOpen: (name: string) => void }): JSX.Element {
  if (entries.length === 0) return <p class="muted">This folder is empty.</p>
  const sorted = entries.toSorted((a, b) => Number(b.type === 'directory') - Number(a.type === 'directory') || a.name.localeCompare(b.name))
  return (
    <>
      <ul class="folder" aria-label="Folder">
        {sorted.map(({ name, type, size }) => (
          <li key={name}><button type="button" onClick={() => { onOpen(name) }}><Icon name={type === 'directory' ? 'folder' : 'file'} /><span class="folder-name">{name}</span><span class="num muted">{type === 'directory' ? '' : formatBytes(size)}</span></button></li>
        ))}
      </ul>
      {isCut && <p class="muted">Only the first {plural(mostEntries, 'entry', 'entries')} are shown.</p>}
    </>
  )
}

function Crumbs ({ root, path, onPath }: { readonly root: string, readonly path: readonly string[], readonly onPath: (path: readonly string[]) => void }): JSX.Element {
  return (
    <nav class="crumbs" aria-label="Path in the content">
      {[root, ...path].map((name, depth) => depth === path.length
        ? <span key={depth} aria-current="page">{name}</span>
        : <span key={depth}><button type="button" onClick={() => { onPath(path.slice(0, depth)) }}>{name}</button><span aria-hidden="true"> / </span></span>)}
    </nav>
  )
}

export function PinContent ({ session, cid, name }: { readonly session: Session, readonly cid: string, readonly name: string }): JSX.Element {
  const [path, setPath] = useState<readonly string[]>([])
  const [isOpen, setIsOpen] = useState(true)
  const target = [cid, ...path].join('/')
  const [shown, reload] = useLoaded(session, isOpen ? target : '', async (signal): Promise<Shown | undefined> => isOpen ? await look(await session.client.get(target, { signal })) : undefined)
  const title = path.at(-1) ?? (name === '' ? cid.slice(-12) : name)
  return (
    <Panel title="Content" aside={<Button tone="quiet" icon={isOpen ? 'up' : 'down'} label={isOpen ? 'Hide the content' : 'Show the content'} onClick={() => { setIsOpen(!isOpen) }} />}>
      {isOpen && path.length > 0 && <Crumbs root={name === '' ? 'root' : name} path={path} onPath={setPath} />}
      {isOpen && shown.kind === 'loading' && <Loading text="Looking for the content…" />}
      {isOpen && shown.kind === 'failed' && <ErrorState title="The content is out of reach" error={shown.error} onRetry={reload} />}
      {isOpen && shown.kind === 'loaded' && shown.value?.kind === 'directory' && <Folder entries={shown.value.entries} isCut={shown.value.isCut} onOpen={(entry) => { setPath([...path, entry]) }} />}
      {isOpen && shown.kind === 'loaded' && shown.value?.kind === 'file' && <FileContent key={target} session={session} target={target} title={title} size={shown.value.size} head={shown.value.head} />}
      {isOpen && shown.kind === 'loaded' && shown.value?.kind === 'symlink' && <p>A link to <span class="mono">{shown.value.target}</span></p>}
    </Panel>
  )
}
