/** Adding content: files and folders, or what the network has under a CID. */
import { useRef, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import type { Session } from '../session.ts'
import { uploadsOf } from '../uploads.ts'
import type { UploadItem } from '../uploads.ts'
import { Button, Choice, Icon, Panel, ViewHead, formatBytes, plural } from '../ui/index.ts'
import { stage, useStaged } from './add-drop.tsx'
import { itemsOfFiles, together } from './add-items.ts'
import { PinForm } from './add-pin.tsx'
import { UploadList } from './add-uploads.tsx'
import { OptionsFields, emptyOptions, requestFrom } from './pin-options.tsx'
import type { OptionsError } from './pin-options.tsx'
import '../styles/add.css'

type Grouping = 'each' | 'together'
const groupings: ReadonlyArray<readonly [Grouping, string]> = [['each', 'One pin each'], ['together', 'One folder']]

function Chooser ({ onItems }: { readonly onItems: (items: readonly UploadItem[]) => void }): JSX.Element {
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const take = (input: HTMLInputElement): void => {
    onItems(itemsOfFiles([...input.files ?? []]))
    input.value = ''
  }
  return (
    <div class="chooser">
      <Icon name="upload" size={24} />
      <p>Drop files or folders here, or anywhere on the page</p>
      <div class="form-actions">
        <Button icon="file" onClick={() => { files.current?.click() }}>Choose files</Button>
        <Button icon="folder" onClick={() => { folder.current?.click() }}>Choose a folder</Button>
      </div>
      <input ref={files} class="sr-only" type="file" multiple tabIndex={-1} aria-label="Files to add" onChange={(event) => { take(event.currentTarget) }} />
      <input ref={folder} class="sr-only" type="file" tabIndex={-1} aria-label="Folder to add" {...{ webkitdirectory: true }} onChange={(event) => { take(event.currentTarget) }} />
    </div>
  )
}

function StagedList ({ items, onRemove }: { readonly items: readonly UploadItem[], readonly onRemove: (item: UploadItem) => void }): JSX.Element {
  return (
    <ul class="staged" aria-label="Waiting to be added">
      {items.map((item, index) => (
        <li key={`${item.title} ${index}`}>
          <Icon name={item.isFolder ? 'folder' : 'file'} />
          <span class="staged-name">{item.title}</span>
          <span class="muted num">{item.isFolder ? `${plural(item.entries.filter(({ kind }) => kind === 'file').length, 'file')}, ` : ''}{formatBytes(item.bytes)}</span>
          <Button tone="quiet" icon="close" label={`Leave out ${item.title}`} onClick={() => { onRemove(item) }} />
        </li>
      ))}
    </ul>
  )
}

function FilesForm ({ session }: { readonly session: Session }): JSX.Element {
  const [items, setItems] = useStaged()
  const [draft, setDraft] = useState(emptyOptions)
  const [grouping, setGrouping] = useState<Grouping>('each')
  const [error, setError] = useState<OptionsError>()
  const isFolder = items.length > 1 && grouping === 'together'
  const add = (event: Event): void => {
    event.preventDefault()
    const made = requestFrom(draft)
    if ('error' in made) return setError(made.error)
    const uploads = uploadsOf(session)
    const named = (title: string): string => made.request.name === undefined || made.request.name === '' ? title : made.request.name
    if (isFolder) uploads.add(together(items, named(`${items.length} items`)), { ...made.request, name: named(''), wrapWithDirectory: true })
    else for (const item of items) uploads.add(item, { ...made.request, name: named(item.title) })
    stage([])
    setDraft(emptyOptions)
    setError(undefined)
  }
  return (
    <Panel title="Files and folders">
      <Chooser onItems={(chosen) => { setItems([...items, ...chosen]) }} />
      {items.length > 0 && (
        <form class="form" onSubmit={add}>
          <StagedList items={items} onRemove={(left) => { setItems(items.filter((item) => item !== left)) }} />
          {items.length > 1 && <Choice label="Pin as" value={grouping} options={groupings} onChange={setGrouping} />}
          <OptionsFields draft={draft} onChange={(next) => { setDraft(next); setError(undefined) }} error={error} namePlaceholder={isFolder ? 'Name of the folder’s pin' : 'Name of the file'} />
          <div class="form-actions">
            <Button type="submit" tone="primary">Add {items.length === 1 ? items[0]?.title ?? '' : plural(items.length, 'item')}</Button>
            <Button onClick={() => { setItems([]) }}>Clear</Button>
          </div>
        </form>
      )}
      <UploadList session={session} />
    </Panel>
  )
}

export function AddView ({ session }: { readonly session: Session }): JSX.Element {
  return (
    <div class="view">
      <ViewHead title="Add" note="What you add is pinned in the whole cluster." />
      <div class="add-columns">
        <FilesForm session={session} />
        <PinForm session={session} />
      </div>
    </div>
  )
}
