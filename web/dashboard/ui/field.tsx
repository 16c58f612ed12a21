/** Labelled form controls. */
import { useId } from 'preact/hooks'
import type { ComponentChildren, JSX } from 'preact'

export interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onInput: (value: string) => void
  readonly hint?: ComponentChildren
  readonly error?: string | undefined
  readonly type?: 'text' | 'password' | 'url' | 'number' | 'datetime-local' | undefined
  readonly placeholder?: string | undefined
  readonly required?: boolean | undefined
  readonly mono?: boolean | undefined
  readonly autofocus?: boolean | undefined
  readonly autocomplete?: string | undefined
  readonly min?: number | undefined
}

export function Field ({ label, value, onInput, hint, error, type = 'text', placeholder, required = false, mono = false, autofocus = false, autocomplete = 'off', min }: FieldProps): JSX.Element {
  const id = useId()
  const note = error ?? hint
  // The types of inputs are a union that one element cannot be of: all of these take the same attributes.
  const kind = { type } as { readonly type: 'text' }
  return (
    <div class={error === undefined ? 'field' : 'field invalid'}>
      <label for={id}>{label}</label>
      <input
        id={id} class={mono ? 'input mono' : 'input'} {...kind} value={value} {...placeholder === undefined ? {} : { placeholder }} required={required} autofocus={autofocus} autocomplete={autocomplete} spellcheck={false} {...min === undefined ? {} : { min }}
        aria-invalid={error !== undefined} {...note === undefined ? {} : { 'aria-describedby': `${id}-note` }} onInput={(event) => { onInput(event.currentTarget.value) }}
      />
      {note !== undefined && <p id={`${id}-note`} class="field-note" role={error === undefined ? undefined : 'alert'}>{note}</p>}
    </div>
  )
}

export interface SelectProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: ReadonlyArray<readonly [T, string]>
  readonly onChange: (value: T) => void
  /** The label is for screen readers only. @default false */
  readonly quiet?: boolean | undefined
}

export function Select<T extends string> ({ label, value, options, onChange, quiet = false }: SelectProps<T>): JSX.Element {
  const id = useId()
  const pick = (text: string): void => {
    const found = options.find(([option]) => option === text)
    if (found !== undefined) onChange(found[0])
  }
  return (
    <div class="field select">
      <label for={id} class={quiet ? 'sr-only' : undefined}>{label}</label>
      <select id={id} class="input" value={value} onChange={(event) => { pick(event.currentTarget.value) }}>
        {options.map(([option, text]) => <option key={option} value={option}>{text}</option>)}
      </select>
    </div>
  )
}

export function Checkbox ({ label, checked, onChange, hint }: { readonly label: string, readonly checked: boolean, readonly onChange: (checked: boolean) => void, readonly hint?: string | undefined }): JSX.Element {
  const id = useId()
  return (
    <div class="check">
      <input id={id} type="checkbox" checked={checked} aria-describedby={hint === undefined ? undefined : `${id}-note`} onChange={(event) => { onChange(event.currentTarget.checked) }} />
      <div><label for={id}>{label}</label>{hint !== undefined && <p id={`${id}-note`} class="field-note">{hint}</p>}</div>
    </div>
  )
}

/** One choice of a few, side by side. */
export function Choice<T extends string> ({ label, value, options, onChange }: SelectProps<T>): JSX.Element {
  const name = useId()
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      <div class="choice-options">
        {options.map(([option, text]) => (
          <label key={option} class={option === value ? 'chosen' : undefined}>
            <input type="radio" name={name} value={option} checked={option === value} onChange={() => { onChange(option) }} />{text}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
