/** The bench itself: what it says of a goal is right, its report is whole, and a small run measures every row that it names. */
import { describe, expect, test } from 'vitest'
import { figures } from '../bench/figures.ts'
import type { FigureName } from '../bench/figures.ts'
import { reportHtml } from '../bench/report.ts'
import { serverBenchOptions } from '../bench/options.ts'
import type { RawOptions } from '../bench/options.ts'
import { benchServers } from '../bench/servers.ts'
import { sharesOf } from '../bench/profile.ts'
import { tableOf, tableText } from '../bench/table.ts'
import type { Results } from '../bench/servers.ts'

const raw = (more: Partial<RawOptions> = {}): RawOptions => ({ clients: '8', add: '1', only: '', url: [], pid: [], 'only-urls': false, 'newcomer-limit': '60', million: false, go: false, built: false, ...more })
type Column = Partial<Record<FigureName, ReadonlyArray<number | string>>>
const resultsOf = (columns: Readonly<Record<string, Column>>): Results => new Map(Object.entries(columns).map(([name, column]) => [name, new Map(Object.entries(column) as Array<[FigureName, ReadonlyArray<number | string>]>)]))

describe('table', () => {
  const options = serverBenchOptions(raw({ pins: '20000' }))
  const verdictOf = (figure: FigureName, ours: ReadonlyArray<number | string>, other: ReadonlyArray<number | string>): string => {
    const { rows } = tableOf(resultsOf({ ours: { [figure]: ours }, Go: { [figure]: other } }), options)
    return rows.find(({ title }) => title === figures[figure].title)?.verdict ?? 'no row'
  }

  test.each<[FigureName, number, number, string]>([
    ['pinned', 3000, 1000, 'met, and further'], ['pinned', 1500, 1000, 'met'], ['pinned', 1499, 1000, 'missed'],
    ['local', 250, 1000, 'met, and further'], ['local', 500, 1000, 'met'], ['local', 501, 1000, 'missed'],
    ['allocationsFirst', 50, 1, 'met'], ['allocationsFirst', 51, 1000, 'missed'], ['addHelia', 60, 0, 'met'], ['addHelia', 59, 0, 'missed'],
    ['newcomer', 4, 90, 'met'], ['newcomer', 4, 91, 'missed'], ['accepted', 1, 2, '']
  ])('%s: %d beside %d is %j', (figure, ours, other, verdict) => { expect(verdictOf(figure, [ours], [other])).toBe(verdict) })

  test('shows medians; what was reached where most rounds did not end; nothing where there is nothing', () => {
    const lines = tableText(tableOf(resultsOf({ ours: { restart: [3, 1, 2], newcomer: [9, '71 in 60', '72 in 60'] }, other: {} }), options)).join('\n')
    expect(lines).toMatch(/ready after restart, s +2\.00 +- +≤ 3 s +met/)
    expect(lines).toMatch(/all pins, s +71 in 60 +-/)
    expect(lines).not.toContain(figures.add.title)
  })
})

test('the report holds the table and a line for each process, broken where there was none', () => {
  const options = serverBenchOptions(raw())
  const track = { title: 'a <b>', lines: new Map([['ours', [{ at: 0, megabytes: 100 }, { at: 1, megabytes: Number.NaN }, { at: 2, megabytes: 50 }]]]), phases: [{ name: 'restart', from: 0, to: 2 }] }
  const html = reportHtml('machine & load', tableOf(resultsOf({ ours: { restart: [2] } }), options), [track])
  expect(html).toContain('machine &#38; load')
  expect(html).toContain('<h2>a &#60;b&#62;</h2>')
  expect(html.match(/<path d="(M[\d. ]+M[\d. ]+)"/)).not.toBeNull()
  expect(html).toContain('<title>restart: 2.0 s</title>')
})

test('options that are wrong are named', () => {
  expect(() => serverBenchOptions(raw({ pins: 'many' }))).toThrow('--pins')
  expect(() => serverBenchOptions(raw({ only: 'accept,lists' }))).toThrow('--only')
  expect(() => serverBenchOptions(raw({ url: ['http://host'] }))).toThrow('name=value')
  expect(() => serverBenchOptions(raw({ 'only-urls': true }))).toThrow('--url')
})

test('a profile is added up by area, built-ins for who calls them', () => {
  const frame = (functionName: string, url = ''): { readonly functionName: string, readonly url: string } => ({ functionName, url })
  const shares = sharesOf({
    nodes: [{ id: 1, callFrame: frame('(root)'), children: [2, 4, 5] }, { id: 2, callFrame: frame('put', 'file:///x/node/store/level-store.ts'), children: [3] }, { id: 3, callFrame: frame('map') }, { id: 4, callFrame: frame('(garbage collector)') }, { id: 5, callFrame: frame('(idle)') }],
    samples: [2, 3, 4, 5], timeDeltas: [1000, 2000, 1000, 9000]
  })
  expect(shares.map(({ area, part }) => [area, part])).toEqual([['LevelDB, its JavaScript side', 0.75], ['garbage collection', 0.25]])
})

test('a small run of ours has every figure of its rows', async () => {
  const options = serverBenchOptions(raw({ pins: '300', rounds: '1', only: 'accept,list,memory,restart,newcomer' }))
  const [ours] = options.kinds
  if (ours === undefined) throw new Error('there is no kind of ours')
  const { results, memory } = await benchServers({ ...options, kinds: [ours], settings: { ...options.settings, newcomers: [ours] } })
  const measured = results.get('ours')
  for (const figure of ['accepted', 'pinned', 'p99', 'allocations', 'local', 'pins', 'memory', 'memoryPeak', 'restart', 'newcomer', 'newcomerPinned'] as const) {
    expect(measured?.get(figure), figure).toEqual([expect.any(Number)])
  }
  expect(memory.tracks[0]?.phases.map(({ name }) => name)).toEqual(['start', 'accept', 'list', 'memory', 'restart', 'newcomer'])
}, 120_000)
