/** The report of a run: one page that needs nothing else, with the table and the memory of each process over time. */
import type { Track } from './memory.ts'
import { escapeHtml, plot, scaleOf } from './plot.ts'
import type { Table } from './table.ts'

const style = 'body{font:14px/1.45 system-ui,sans-serif;max-width:1000px;margin:24px auto;padding:0 16px;color:#222}table{border-collapse:collapse}td,th{padding:3px 10px;border-bottom:1px solid #ddd;text-align:right;font-weight:normal}td:first-child,th{text-align:left}thead th{font-weight:600}svg{width:100%;font:11px system-ui,sans-serif}h2{font-size:16px;margin:24px 0 0}.legend{margin:0}.legend span{margin-right:14px}.missed{color:#b2182b}.met{color:#1b7837}'

function rows ({ servers, rows: all }: Table): string {
  const ratio = servers.length > 1 ? `${servers[0]}/${servers[1]}` : ''
  const head = ['', ...servers, ratio, 'goal', ''].map((cell) => `<th>${escapeHtml(cell)}</th>`).join('')
  const body = all.map((row) => `<tr>${[row.title, ...row.cells, row.ratio, row.goal].map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}<td class="${row.verdict === 'missed' ? 'missed' : 'met'}">${escapeHtml(row.verdict)}</td></tr>`)
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`
}

/** `about` names the machine and the load. */
export function reportHtml (about: string, table: Table, tracks: readonly Track[]): string {
  const scale = scaleOf(tracks)
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Bench</title><style>${style}</style>
<h1>Bench</h1><p>${escapeHtml(about)}</p>
${rows(table)}
<p>Resident memory of each process, once a second; shaded: what ran meanwhile. Same axes in all plots.</p>
${tracks.map((track) => plot(track, scale)).join('\n')}
</html>
`
}
