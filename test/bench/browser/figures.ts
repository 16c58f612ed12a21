/** What the benches of the browser print: a figure, its values over the rounds, and the goal it has. */
import { median } from '../load.ts'

export class Figures {
  readonly #values = new Map<string, { readonly goal: string, readonly values: number[] }>()

  /** One more value of a figure, said at once on stderr: a bench of minutes should not be silent. */
  note (name: string, value: number, goal = ''): void {
    const figure = this.#values.get(name) ?? { goal, values: [] }
    this.#values.set(name, figure)
    figure.values.push(value)
    process.stderr.write(`${name}: ${format(value)}\n`)
  }

  /** One line a figure: median, spread and goal. */
  lines (): readonly string[] {
    const width = Math.max(...[...this.#values.keys()].map((name) => name.length))
    return [...this.#values].map(([name, { goal, values }]) => {
      const spread = values.length === 1 ? '' : ` (${format(Math.min(...values))} to ${format(Math.max(...values))}, ${values.length} rounds)`
      return `${name.padEnd(width)} ${format(median(values)).padStart(9)}${goal === '' ? '' : `  goal ${goal}`}${spread}`
    })
  }
}

const format = (value: number): string => Number.isNaN(value) ? '-' : value >= 100 ? value.toFixed(0) : value.toFixed(2)
