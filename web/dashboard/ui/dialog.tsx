/** Modal dialogs: the browser's own `<dialog>`, which keeps the focus inside and closes with Esc. */
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { ComponentChildren, JSX } from 'preact'
import { Button } from './button.tsx'

export interface DialogProps {
  readonly title: string
  readonly children?: ComponentChildren
  readonly onClose: () => void
  /** Buttons at the bottom. */
  readonly actions?: ComponentChildren
  readonly wide?: boolean | undefined
}

/** Shown as long as it is rendered. */
export function Dialog ({ title, children, onClose, actions, wide = false }: DialogProps): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const dialog = ref.current
    if (dialog !== null && !dialog.open) dialog.showModal()
    return () => { dialog?.close() }
  }, [])
  return (
    <dialog ref={ref} class={wide ? 'dialog wide' : 'dialog'} aria-labelledby={heading} onCancel={(event) => { event.preventDefault(); onClose() }} onClick={(event) => { if (event.target === ref.current) onClose() }}>
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={heading}>{title}</h2>
          <Button tone="quiet" icon="close" label="Close" onClick={onClose} />
        </header>
        <div class="dialog-content">{children}</div>
        {actions !== undefined && <footer class="dialog-actions">{actions}</footer>}
      </div>
    </dialog>
  )
}

export interface Question {
  readonly title: string
  readonly text: string
  /** Text of the button that says yes. */
  readonly action: string
  readonly danger?: boolean | undefined
}

let show: ((question: Question, answer: (yes: boolean) => void) => void) | undefined

/** Asks before something that cannot be undone. */
export const confirm = async (question: Question): Promise<boolean> => await new Promise((resolve) => {
  if (show === undefined) resolve(false)
  else show(question, resolve)
})

/** Where questions appear; the shell has one. */
export function ConfirmHost (): JSX.Element | null {
  const [asked, setAsked] = useState<{ readonly question: Question, readonly answer: (yes: boolean) => void }>()
  useEffect(() => {
    show = (question, answer) => { setAsked({ question, answer }) }
    return () => { show = undefined }
  }, [])
  if (asked === undefined) return null
  const { title, text, action, danger } = asked.question
  const end = (yes: boolean): void => { setAsked(undefined); asked.answer(yes) }
  return (
    <Dialog
      title={title} onClose={() => { end(false) }}
      actions={<><Button onClick={() => { end(false) }}>Cancel</Button><Button tone={danger === true ? 'danger' : 'primary'} autofocus onClick={() => { end(true) }}>{action}</Button></>}
    >
      <p>{text}</p>
    </Dialog>
  )
}
