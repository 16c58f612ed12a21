/** Small tables and lists of facts. Long listings have their own virtual rows. */
import type { ComponentChildren, JSX } from 'preact'

export interface Column<T> {
  readonly key: string
  readonly title: string
  readonly cell: (row: T) => ComponentChildren
  /** Numbers stand right, with figures of one width. */
  readonly numeric?: boolean | undefined
  /** Left out on narrow screens. */
  readonly wideOnly?: boolean | undefined
}

export interface TableProps<T> {
  /** What the table holds, for screen readers. */
  readonly caption: string
  readonly columns: ReadonlyArray<Column<T>>
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
}

const classOf = ({ numeric, wideOnly }: { readonly numeric?: boolean | undefined, readonly wideOnly?: boolean | undefined }): string => `${numeric === true ? 'num' : ''} ${wideOnly === true ? 'wide-only' : ''}`

export function Table<T> ({ caption, columns, rows, keyOf }: TableProps<T>): JSX.Element {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="table">
        <caption class="sr-only">{caption}</caption>
        <thead><tr>{columns.map((column) => <th key={column.key} scope="col" class={classOf(column)}>{column.title}</th>)}</tr></thead>
        <tbody>{rows.map((row) => <tr key={keyOf(row)}>{columns.map((column) => <td key={column.key} class={classOf(column)}>{column.cell(row)}</td>)}</tr>)}</tbody>
      </table>
    </div>
  )
}

/** Names and values, one pair a line. */
export function Facts ({ items }: { readonly items: ReadonlyArray<readonly [string, ComponentChildren]> }): JSX.Element {
  return <dl class="facts">{items.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
}

/** A titled part of a view. */
export function Panel ({ title, children, aside }: { readonly title: string, readonly children?: ComponentChildren, readonly aside?: ComponentChildren }): JSX.Element {
  return <section class="panel"><header class="panel-head"><h2>{title}</h2>{aside}</header>{children}</section>
}

/** Head of a view: its one h1 and what can be done there. */
export function ViewHead ({ title, note, children }: { readonly title: string, readonly note?: ComponentChildren, readonly children?: ComponentChildren }): JSX.Element {
  return <header class="view-head"><div class="view-title"><h1>{title}</h1>{note !== undefined && <p>{note}</p>}</div>{children !== undefined && <div class="view-actions">{children}</div>}</header>
}
