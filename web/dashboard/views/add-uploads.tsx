/** Uploads with their progress. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { hrefOf } from '../route.ts'
import type { Session } from '../session.ts'
import { uploadsOf } from '../uploads.ts'
import type { Upload, Uploads } from '../uploads.ts'
import { Badge, Button, Icon, MiddleText, Progress, formatBytes, formatCount } from '../ui/index.ts'

function Outcome ({ upload, uploads }: { readonly upload: Upload, readonly uploads: Uploads }): JSX.Element {
  const { id, title, state, totalBytes, sentBytes, addedEntries, entries, isFolder } = upload
  const sent = Math.min(sentBytes, totalBytes)
  switch (state.kind) {
    case 'waiting': return <Badge tone="idle">waiting</Badge>
    case 'cancelled': return <Badge tone="idle">cancelled</Badge>
    case 'failed': return <p class="upload-error" role="alert">{state.error} <Button icon="recover" onClick={() => { uploads.retry(id) }}>Try again</Button></p>
    case 'done': return <a href={hrefOf('pins', state.cid)}><MiddleText text={state.cid} /></a>
    case 'sending': return (
      <Progress
        label={`Upload of ${title}`} value={totalBytes === 0 ? undefined : sent < totalBytes ? sent / totalBytes : undefined}
        text={sent < totalBytes ? `${formatBytes(sent)} of ${formatBytes(totalBytes)}` : isFolder ? `${formatCount(addedEntries)} of ${formatCount(entries)} files added` : 'adding'}
      />
    )
  }
}

export function UploadList ({ session }: { readonly session: Session }): JSX.Element | null {
  const uploads = uploadsOf(session)
  const [all, setAll] = useState(uploads.all)
  useEffect(() => {
    setAll(uploads.all)
    return uploads.onChange(() => { setAll(uploads.all) })
  }, [uploads])
  if (all.length === 0) return null
  const ended = all.filter(({ state }) => state.kind !== 'waiting' && state.kind !== 'sending').length
  const done = all.filter(({ state }) => state.kind === 'done').length
  return (
    <section class="uploads" aria-label="Uploads"><p class="sr-only" role="status">{done} of {all.length} added</p>
      <div class="uploads-head"><h3 class="num">{done} of {all.length} added</h3>{ended > 0 && <Button tone="quiet" onClick={() => { uploads.clear() }}>Clear list</Button>}</div>
      <ul>
        {all.toReversed().map((upload) => (
          <li key={upload.id} class="upload">
            <Icon name={upload.state.kind === 'done' ? 'check' : upload.isFolder ? 'folder' : 'file'} />
            <span class="upload-name">{upload.title}</span>
            <div class="upload-outcome"><Outcome upload={upload} uploads={uploads} /></div>
            {(upload.state.kind === 'sending' || upload.state.kind === 'waiting') && <Button tone="quiet" icon="close" label={`Cancel ${upload.title}`} onClick={() => { uploads.cancel(upload.id) }} />}
          </li>
        ))}
      </ul>
    </section>
  )
}
