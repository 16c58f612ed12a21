/** The options of a pin as a form: name, replication, expiry, metadata. */
import { useId } from 'preact/hooks'
import type { JSX } from 'preact'
import type { PinRequest } from '../../../src/api/client.ts'
import type { PinOptions } from '../../../src/pin/pin.ts'
import { Choice, Field } from '../ui/field.tsx'

export type Replication = 'default' | 'everywhere' | 'copies'

/** What stands in the form. */
export interface OptionsDraft {
  readonly name: string
  readonly replication: Replication
  readonly min: string
  readonly max: string
  /** Local time, as `datetime-local` writes it. */
  readonly expires: string
  /** One `key=value` a line. */
  readonly metadata: string
}

export const emptyOptions: OptionsDraft = { name: '', replication: 'default', min: '2', max: '3', expires: '', metadata: '' }

export type OptionsError = { readonly field: 'copies' | 'expires' | 'metadata', readonly text: string }

const localTime = (time: number): string => {
  const date = new Date(time - new Date(time).getTimezoneOffset() * 60_000)
  return date.toISOString().slice(0, 16)
}

/** The form of a pin that exists. */
export function draftOf (pin: PinOptions): OptionsDraft {
  const { replicationFactorMin: min, replicationFactorMax: max } = pin
  const replication = min < 0 && max < 0 ? 'everywhere' : min === 0 && max === 0 ? 'default' : 'copies'
  return {
    name: pin.name, replication, min: replication === 'copies' ? String(min) : '2', max: replication === 'copies' ? String(max) : '3',
    expires: pin.expireAt === undefined ? '' : localTime(pin.expireAt),
    metadata: Object.entries(pin.metadata).map(([key, value]) => `${key}=${value}`).join('\n')
  }
}

type Part<T> = { readonly value: T } | { readonly error: OptionsError }

function copiesOf ({ replication, min, max }: OptionsDraft): Part<readonly [number, number]> {
  if (replication === 'default') return { value: [0, 0] }
  if (replication === 'everywhere') return { value: [-1, -1] }
  const [low, high] = [Number(min), Number(max)]
  if (!Number.isInteger(low) || !Number.isInteger(high) || low < 1 || high < 1) return { error: { field: 'copies', text: 'Copies are whole numbers from 1.' } }
  return low > high ? { error: { field: 'copies', text: 'The fewest copies cannot be more than the most.' } } : { value: [low, high] }
}

function metadataOf (text: string): Part<Readonly<Record<string, string>>> {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '')
  const pairs = lines.map((line) => [line.slice(0, Math.max(0, line.indexOf('='))).trim(), line.slice(line.indexOf('=') + 1).trim()] as const)
  if (pairs.some(([key]) => key === '')) return { error: { field: 'metadata', text: 'Every line has a key, an equals sign and a value.' } }
  return { value: Object.fromEntries(pairs) }
}

/** The request that the form makes, or what is wrong with it. */
export function requestFrom (draft: OptionsDraft, now = Date.now()): { readonly request: PinRequest } | { readonly error: OptionsError } {
  const copies = copiesOf(draft)
  if ('error' in copies) return copies
  const metadata = metadataOf(draft.metadata)
  if ('error' in metadata) return metadata
  const expireAt = draft.expires === '' ? undefined : new Date(draft.expires).getTime()
  if (expireAt !== undefined && !(expireAt > now)) return { error: { field: 'expires', text: 'This time is over.' } }
  const [replicationFactorMin, replicationFactorMax] = copies.value
  return { request: { name: draft.name.trim(), replicationFactorMin, replicationFactorMax, expireAt, metadata: metadata.value } }
}

const choices: ReadonlyArray<readonly [Replication, string]> = [['default', 'Default'], ['everywhere', 'Everywhere'], ['copies', 'Some copies']]

interface Props {
  readonly draft: OptionsDraft
  readonly onChange: (draft: OptionsDraft) => void
  readonly error?: OptionsError | undefined
  /** Expiry and metadata are shown at once. @default false */
  readonly open?: boolean | undefined
  readonly namePlaceholder?: string | undefined
}

export function OptionsFields ({ draft, onChange, error, open = false, namePlaceholder }: Props): JSX.Element {
  const id = useId()
  const set = (change: Partial<OptionsDraft>): void => { onChange({ ...draft, ...change }) }
  const errorOf = (field: OptionsError['field']): string | undefined => error?.field === field ? error.text : undefined
  const metadataError = errorOf('metadata')
  return (
    <>
      <Field label="Name" value={draft.name} onInput={(name) => { set({ name }) }} placeholder={namePlaceholder} />
      <Choice label="Replication" value={draft.replication} options={choices} onChange={(replication) => { set({ replication }) }} />
      {draft.replication === 'copies' && (
        <div class="form-row">
          <Field label="Fewest copies" type="number" min={1} value={draft.min} onInput={(min) => { set({ min }) }} error={errorOf('copies')} hint="Below this the cluster repairs." />
          <Field label="Most copies" type="number" min={1} value={draft.max} onInput={(max) => { set({ max }) }} hint="Never more than this." />
        </div>
      )}
      <details class="more" open={open || draft.expires !== '' || draft.metadata !== '' || error?.field === 'expires' || error?.field === 'metadata'}>
        <summary>Expiry and metadata</summary>
        <div class="form">
          <Field label="Unpin at" type="datetime-local" value={draft.expires} onInput={(expires) => { set({ expires }) }} error={errorOf('expires')} hint="Empty: never." />
          <div class={metadataError === undefined ? 'field' : 'field invalid'}>
            <label for={id}>Metadata</label>
            <textarea id={id} class="input mono" rows={3} spellcheck={false} value={draft.metadata} placeholder={'key=value'} aria-describedby={`${id}-note`} aria-invalid={metadataError !== undefined || undefined} onInput={(event) => { set({ metadata: event.currentTarget.value }) }} />
            <p id={`${id}-note`} class="field-note">{metadataError ?? 'One key=value a line.'}</p>
          </div>
        </div>
      </details>
    </>
  )
}
