/** A file: a look at it, and the way to take it along. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { errorText } from '../../../../src/component.ts'
import type { Session } from '../../session.ts'
import { Button, LinkButton, Notice, Progress, formatBytes, toastError } from '../../ui/index.ts'
import { mediaOf, previewLimit, previewsByItself } from './media.ts'
import type { Media } from './media.ts'

interface ReadOptions {
  readonly type: string
  /** Bytes after which reading ends. */
  readonly limit?: number | undefined
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
}

/** Reads a file into a Blob, which browsers keep out of memory when it is large. */
async function readBlob (session: Session, target: string, { type, limit = Infinity, signal, onBytes }: ReadOptions): Promise<Blob> {
  const parts: BlobPart[] = []
  let bytes = 0
  for await (const chunk of session.client.cat(target, { signal })) {
    parts.push(chunk.slice())
    bytes += chunk.length
    onBytes(bytes)
    if (bytes >= limit) break
  }
  return new Blob(parts, { type }).slice(0, Math.min(bytes, limit), type)
}

function save (blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => { URL.revokeObjectURL(url) }, 60_000)
}

type Preview = { readonly kind: 'none' } | { readonly kind: 'reading', readonly bytes: number } | { readonly kind: 'failed', readonly error: string } | { readonly kind: 'text', readonly text: string } | { readonly kind: 'url', readonly url: string }

interface FileProps {
  readonly session: Session
  readonly target: string
  readonly title: string
  readonly size: number | undefined
  readonly head: Uint8Array
}

function usePreview ({ session, target, size }: FileProps, media: Media | undefined): readonly [Preview, () => void] {
  const [preview, setPreview] = useState<Preview>({ kind: 'none' })
  const abort = useRef<AbortController>(undefined)
  const read = async (): Promise<void> => {
    if (media === undefined) return
    const controller = new AbortController()
    abort.current = controller
    setPreview({ kind: 'reading', bytes: 0 })
    try {
      const blob = await readBlob(session, target, { type: media.type, limit: previewLimit(media.kind), signal: controller.signal, onBytes: (bytes) => { setPreview({ kind: 'reading', bytes }) } })
      setPreview(media.kind === 'text' ? { kind: 'text', text: await blob.text() } : { kind: 'url', url: URL.createObjectURL(blob) })
    } catch (error) {
      if (!controller.signal.aborted) setPreview({ kind: 'failed', error: errorText(error) })
    }
  }
  useEffect(() => {
    if (media !== undefined && (media.kind === 'text' || (size !== undefined && size <= previewsByItself))) void read()
    return () => { abort.current?.abort() }
  }, [])
  const url = preview.kind === 'url' ? preview.url : undefined
  useEffect(() => () => { if (url !== undefined) URL.revokeObjectURL(url) }, [url])
  return [preview, () => { void read() }]
}

function Look ({ preview, media, title, size }: { readonly preview: Preview, readonly media: Media, readonly title: string, readonly size: number | undefined }): JSX.Element | null {
  switch (preview.kind) {
    case 'none': return null
    case 'reading': return <Progress label="Reading the preview" value={size === undefined || size === 0 ? undefined : preview.bytes / Math.min(size, previewLimit(media.kind))} text={formatBytes(preview.bytes)} />
    case 'failed': return <Notice tone="error">No preview: {preview.error}</Notice>
    case 'text': return (
      <>
        <pre class="preview-text" tabIndex={0} role="region" aria-label={`Text of ${title}`}>{preview.text}</pre>
        {size !== undefined && size > previewLimit('text') && <p class="muted">The first {formatBytes(previewLimit('text'))} of {formatBytes(size)}.</p>}
      </>
    )
    case 'url':
      if (media.kind === 'image') return <img class="preview-image" src={preview.url} alt={title} />
      return media.kind === 'audio' ? <audio class="preview-media" controls src={preview.url} aria-label={title} /> : <video class="preview-media" controls src={preview.url} aria-label={title} />
  }
}

function Download ({ session, target, title, size }: Omit<FileProps, 'head'>): JSX.Element {
  const [bytes, setBytes] = useState<number>()
  const abort = useRef<AbortController>(undefined)
  const download = async (): Promise<void> => {
    const controller = new AbortController()
    abort.current = controller
    setBytes(0)
    try {
      save(await readBlob(session, target, { type: 'application/octet-stream', signal: controller.signal, onBytes: setBytes }), title)
    } catch (error) {
      if (!controller.signal.aborted) toastError(`Could not download ${title}`, error)
    } finally {
      setBytes(undefined)
    }
  }
  const url = session.contentUrl?.(target)
  if (bytes !== undefined) return <div class="downloading"><Progress label={`Download of ${title}`} value={size === undefined || size === 0 ? undefined : bytes / size} text={formatBytes(bytes)} /><Button tone="quiet" icon="close" label="Cancel the download" onClick={() => { abort.current?.abort() }} /></div>
  return (
    <div class="form-actions">
      {url !== undefined && <LinkButton icon="open" href={url} external>Open</LinkButton>}
      <Button icon="download" onClick={() => { void download() }}>Download</Button>
    </div>
  )
}

export function FileContent (props: FileProps): JSX.Element {
  const { session, target, title, size, head } = props
  const media = mediaOf(head)
  const [preview, read] = usePreview(props, media)
  const isTooLarge = media !== undefined && media.kind !== 'text' && size !== undefined && size > previewLimit(media.kind)
  return (
    <div class="file">
      <div class="file-head"><p><strong>{title}</strong> <span class="muted num">{size === undefined ? '' : formatBytes(size)}{media === undefined ? '' : ` · ${media.type}`}</span></p><Download session={session} target={target} title={title} size={size} /></div>
      {media !== undefined && !isTooLarge && preview.kind === 'none' && media.kind !== 'text' && <div><Button onClick={read}>Preview</Button></div>}
      {media !== undefined && <Look preview={preview} media={media} title={title} size={size} />}
      {isTooLarge && <p class="muted">Too large for a preview.</p>}
    </div>
  )
}
