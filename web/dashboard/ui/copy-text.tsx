/** Identifiers: cut in the middle to the room there is, copied whole. */
import { useEffect, useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { Button } from './button.tsx'
import { toastError } from './toast.tsx'

/** A long identifier that gives way in its middle; screen readers and copying see all of it. */
export function MiddleText ({ text, tail = 8 }: { readonly text: string, readonly tail?: number }): JSX.Element {
  if (text.length <= tail * 2) return <span class="mono">{text}</span>
  return <span class="middle mono" title={text}><span class="middle-head">{text.slice(0, -tail)}</span><span class="middle-tail">{text.slice(-tail)}</span></span>
}

export function CopyButton ({ text, label, words }: { readonly text: string, readonly label: string, readonly words?: string | undefined }): JSX.Element {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => { setCopied(false) }, 1_500)
    return () => { clearTimeout(timer) }
  }, [copied])
  const copy = (): void => {
    const clipboard = (navigator as { readonly clipboard?: Clipboard }).clipboard
    if (clipboard === undefined) toastError('Could not copy', 'the browser allows it only on https and localhost')
    else clipboard.writeText(text).then(() => { setCopied(true) }, (error: unknown) => { toastError('Could not copy', error) })
  }
  return <Button tone="quiet" icon={copied ? 'check' : 'copy'} label={copied ? 'Copied' : label} onClick={copy}>{words}</Button>
}

/** An identifier with a button that copies it. */
export function CopyText ({ text, label = 'Copy', tail = 8 }: { readonly text: string, readonly label?: string, readonly tail?: number }): JSX.Element {
  return <span class="copy-text"><MiddleText text={text} tail={tail} /><CopyButton text={text} label={label} /></span>
}
