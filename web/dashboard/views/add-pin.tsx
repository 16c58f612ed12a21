/** Pinning what the network has already. */
import { useState } from 'preact/hooks'
import type { JSX } from 'preact'
import { CID } from 'multiformats/cid'
import { errorText } from '../../../src/component.ts'
import { titleOf } from '../actions.ts'
import { navigate } from '../route.ts'
import type { Session } from '../session.ts'
import { Button, Field, Notice, Panel, toast } from '../ui/index.ts'
import { OptionsFields, emptyOptions, requestFrom } from './pin-options.tsx'
import type { OptionsError } from './pin-options.tsx'

/** Why this is neither a CID nor a path; undefined where it is one. */
export function targetProblem (text: string): string | undefined {
  if (/^\/(?:ipfs|ipns|ipld)\/[^/]/.test(text)) return undefined
  const [cid = ''] = text.split('/')
  try {
    CID.parse(cid)
    return undefined
  } catch {
    return 'This is no CID, and no path like /ipfs/… or /ipns/…'
  }
}

export function PinForm ({ session }: { readonly session: Session }): JSX.Element {
  const [target, setTarget] = useState('')
  const [draft, setDraft] = useState(emptyOptions)
  const [targetError, setTargetError] = useState<string>()
  const [optionsError, setOptionsError] = useState<OptionsError>()
  const [failure, setFailure] = useState<string>()
  const [busy, setBusy] = useState(false)
  const pin = async (): Promise<void> => {
    const text = target.trim().replace(/^ipfs:\/\//, '/ipfs/').replace(/^ipns:\/\//, '/ipns/')
    const problem = targetProblem(text)
    const made = requestFrom(draft)
    if (problem !== undefined) return setTargetError(problem)
    if ('error' in made) return setOptionsError(made.error)
    setBusy(true)
    setFailure(undefined)
    try {
      const done = await session.client.pin(text, made.request)
      toast({ text: `Pinned ${titleOf(done)}` })
      navigate('pins', done.cid.toString())
    } catch (error) {
      setFailure(errorText(error))
      setBusy(false)
    }
  }
  return (
    <Panel title="By CID or path">
      <form class="form" onSubmit={(event) => { event.preventDefault(); void pin() }}>
        <Field label="CID or path" value={target} onInput={(value) => { setTarget(value); setTargetError(undefined) }} error={targetError} mono placeholder="bafy… or /ipfs/…" required />
        <OptionsFields draft={draft} onChange={(next) => { setDraft(next); setOptionsError(undefined) }} error={optionsError} />
        {failure !== undefined && <Notice tone="error">Could not pin: {failure}</Notice>}
        <div class="form-actions"><Button type="submit" tone="primary" busy={busy}>Pin</Button></div>
      </form>
    </Panel>
  )
}
