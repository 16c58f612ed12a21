/** The table of figures: one column a server, the ratio of the first two, and what was promised. */
import { figureNames, figures } from './figures.ts'
import type { FigureName } from './figures.ts'
import { median } from './load.ts'
import type { ServerBenchOptions } from './options.ts'
import type { Results } from './servers.ts'

export interface TableRow {
  readonly title: string
  readonly cells: readonly string[]
  readonly ratio: string
  readonly goal: string
  readonly verdict: string
}

export interface Table { readonly servers: readonly string[], readonly rows: readonly TableRow[] }

const format = (value: number): string => Number.isNaN(value) ? '-' : value >= 1000 ? Math.round(value).toLocaleString('en') : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

/** The median; what was reached instead where more than half of the rounds did not get there. */
function middle (values: ReadonlyArray<number | string> | undefined): number | string | undefined {
  if (values === undefined || values.length === 0) return undefined
  const numbers = values.filter((value) => typeof value === 'number')
  return numbers.length * 2 > values.length ? median(numbers) : values.find((value) => typeof value === 'string')
}

/** Figures that nobody has are left out. */
export function tableOf (results: Results, { pins, settings, kinds }: ServerBenchOptions): Table {
  const servers = [...results.keys()]
  const rows = figureNames.flatMap((name: FigureName) => {
    const values = servers.map((server) => middle(results.get(server)?.get(name)))
    if (values.every((value) => value === undefined)) return []
    const [ours, other] = values.map((value) => typeof value === 'number' && !Number.isNaN(value) ? value : undefined)
    const goal = kinds[0]?.ours === true ? (figures[name].goal)?.(ours, other, /newcomer/i.test(name) ? settings.newcomerPins : pins) : undefined
    return [{
      title: figures[name].title,
      cells: values.map((value) => value === undefined ? '-' : typeof value === 'string' ? value : format(value)),
      ratio: ours === undefined || other === undefined ? '' : (ours / other).toFixed(2),
      goal: goal?.text ?? '',
      verdict: goal?.met === undefined ? '' : goal.met ? goal.further === true ? 'met, and further' : 'met' : 'missed'
    }]
  })
  return { servers, rows }
}

/** As lines of text. */
export function tableText ({ servers, rows }: Table): readonly string[] {
  const lines = [['', ...servers, servers.length > 1 ? `${servers[0]}/${servers[1]}` : '', 'goal', ''], ...rows.map((row) => [row.title, ...row.cells, row.ratio, row.goal, row.verdict])]
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
  const left = new Set([0, servers.length + 2, servers.length + 3])
  return lines.map((line) => line.map((cell, column) => left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)).join('  ').trimEnd())
}
