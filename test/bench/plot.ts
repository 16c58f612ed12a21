/** Resident memory over time as an SVG: one line a process, what happened meanwhile shaded behind them. */
import type { Sample, Track } from './memory.ts'

const [width, height, left, bottom, top] = [960, 260, 56, 28, 34]
const colours = ['#2166ac', '#b2182b', '#1b7837', '#762a83', '#b35806', '#4d4d4d', '#35978f', '#c51b7d']

export const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

/** A round step that divides `most` into about five. */
export function stepFor (most: number): number {
  const rough = Math.max(most, 1e-9) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10)
}

/** `M x y L x y…`, a new beginning after each gap. */
function path (samples: readonly Sample[], x: (at: number) => number, y: (megabytes: number) => number): string {
  let drawn = ''
  let gap = true
  for (const { at, megabytes } of samples) {
    if (!Number.isNaN(megabytes)) drawn += `${gap ? 'M' : 'L'}${x(at).toFixed(1)} ${y(megabytes).toFixed(1)}`
    gap = Number.isNaN(megabytes)
  }
  return drawn
}

/** The most of both axes, so that plots of several servers can be compared. */
export interface Scale { readonly seconds: number, readonly megabytes: number }

export function scaleOf (tracks: readonly Track[]): Scale {
  const samples = tracks.flatMap(({ lines }) => [...lines.values()].flat())
  return {
    seconds: Math.max(1, ...tracks.flatMap(({ phases }) => phases.map(({ to }) => to))),
    megabytes: samples.reduce((most, { megabytes }) => megabytes > most ? megabytes : most, 1)
  }
}

export function plot ({ title, lines, phases }: Track, { seconds, megabytes }: Scale): string {
  const x = (at: number): number => left + at / seconds * (width - left - 10)
  const y = (value: number): number => height - bottom - value / (megabytes * 1.05) * (height - bottom - top)
  const ticks = (most: number): readonly number[] => Array.from({ length: Math.floor(most / stepFor(most)) + 1 }, (_, index) => index * stepFor(most))
  const shades = phases.map(({ name, from, to }, index) => `<rect x="${x(from).toFixed(1)}" y="${top}" width="${Math.max(0, x(to) - x(from)).toFixed(1)}" height="${height - bottom - top}" fill="${index % 2 === 0 ? '#f2f2f2' : '#e2e8ef'}"><title>${escapeHtml(name)}: ${(to - from).toFixed(1)} s</title></rect>` +
    (x(to) - x(from) < 7 * name.length ? '' : `<text x="${((x(from) + x(to)) / 2).toFixed(1)}" y="${top - 6}" text-anchor="middle">${escapeHtml(name)}</text>`))
  const grid = ticks(megabytes).map((value) => `<line x1="${left}" x2="${width - 10}" y1="${y(value)}" y2="${y(value)}" stroke="#ccc"/><text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`)
  const clock = ticks(seconds).map((value) => `<text x="${x(value)}" y="${height - 10}" text-anchor="middle">${value} s</text>`)
  const curves = [...lines].map(([label, samples], index) => `<path d="${path(samples, x, y)}" fill="none" stroke="${colours[index % colours.length]}" stroke-width="1.5"><title>${escapeHtml(label)}</title></path>`)
  const legend = [...lines.keys()].map((label, index) => `<span style="color:${colours[index % colours.length]}">━ ${escapeHtml(label)}</span>`)
  return `<h2>${escapeHtml(title)}</h2><p class="legend">${legend.join(' ')}</p><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Resident memory in MB over time: ${escapeHtml(title)}"><text x="${left - 6}" y="${top - 6}" text-anchor="end">MB</text>${[...shades, ...grid, ...clock, ...curves].join('')}</svg>`
}
