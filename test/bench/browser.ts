/**
 * The benches in a real Chromium: `npm run bench -- --browser [--rounds 3] [--only member,pins,content,tabs,scroll,size] [--profile FOLDER]`.
 * Peers are processes of their own, tabs are profiles of their own, everything on this machine's loopback.
 */
import { mkdir } from 'node:fs/promises'
import { buildWebui } from '../../node/build-webui.ts'
import { benchContent, benchTabs } from './browser/content.ts'
import { Figures } from './browser/figures.ts'
import { benchMember } from './browser/member.ts'
import { benchPins } from './browser/pins.ts'
import { bundleSizes } from './browser/size.ts'
import { onStage } from './browser/tabs.ts'

export interface BrowserBenchOptions {
  readonly rounds: number
  /** Names of benches; empty = all. */
  readonly only: readonly string[]
  /** Sizes of the pinset, ascending. */
  readonly pins: readonly number[]
  /** Where CPU profiles of the tabs go. */
  readonly profile?: string | undefined
}

/** Runs them and returns the lines to print. */
export async function benchBrowser ({ rounds, only, pins, profile }: BrowserBenchOptions): Promise<readonly string[]> {
  const figures = new Figures()
  const wants = (name: string): boolean => only.length === 0 || only.includes(name)
  if (profile !== undefined) await mkdir(profile, { recursive: true })
  if (wants('size')) {
    const { peer, dashboard } = await bundleSizes()
    figures.note('peer bundle, kB gzipped', peer / 1000, '≤ 350')
    figures.note('dashboard on top of it, kB gzipped', dashboard / 1000, '≤ 150')
  }
  if (wants('scroll')) await buildWebui()
  // A profile should name functions as the sources do.
  await onStage(profile === undefined, async (stage) => {
    if (wants('member')) await benchMember(stage, figures, rounds)
    if (wants('content')) await benchContent(stage, figures, 100, rounds, profile)
    if (wants('tabs')) await benchTabs(stage, figures, 50, rounds, profile)
    if (wants('pins') || wants('scroll')) {
      const goals: Readonly<Record<number, { readonly seconds: string, readonly memory: string }>> = { 20_000: { seconds: '≤ 6', memory: '' }, 100_000: { seconds: '≤ 30', memory: '≤ 400' } }
      await benchPins(stage, figures, pins.map((count) => ({ pins: count, rounds: !wants('pins') ? 0 : count > 20_000 ? 1 : rounds, ...goals[count] ?? { seconds: '', memory: '' } })), { profile, scroll: wants('scroll') })
    }
  })
  return figures.lines()
}
