/**
 * Main-thread work per frame while the dashboard's list is scrolled. What is measured: the page's main thread is traced while a script scrolls
 * it by one step a frame, from reading pace to the whole list in four seconds; the length of every task that starts between one frame's begin
 * and the next is added up. Tracing itself costs a little, which is in the figure.
 */
import type { CDPSession, Page } from 'playwright'
import { quantile } from '../load.ts'
import type { Figures } from './figures.ts'
import { profiled } from './profile.ts'
import { openTab } from './tabs.ts'
import type { Stage } from './tabs.ts'

interface TraceEvent { readonly name: string, readonly ph: string, readonly pid: number, readonly tid: number, readonly ts: number, readonly dur?: number, readonly args?: { readonly name?: string } }

async function traced (session: CDPSession, run: () => Promise<void>): Promise<readonly TraceEvent[]> {
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => { events.push(...value as unknown as TraceEvent[]) })
  await session.send('Tracing.start', { traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'disabled-by-default-devtools.timeline.frame', 'devtools.timeline.frame', '__metadata'] }, transferMode: 'ReportEvents' })
  await run()
  const complete = new Promise((resolve) => { session.once('Tracing.tracingComplete', resolve) })
  await session.send('Tracing.end')
  await complete
  return events
}

/** Milliseconds of tasks in each frame of the busiest main thread of a renderer. */
export function workPerFrame (events: readonly TraceEvent[]): readonly number[] {
  const threads = new Map<string, { readonly tasks: TraceEvent[], readonly frames: number[] }>()
  for (const { name, pid, tid, args } of events) if (name === 'thread_name' && args?.name === 'CrRendererMain') threads.set(`${pid} ${tid}`, { tasks: [], frames: [] })
  for (const event of events) {
    const thread = threads.get(`${event.pid} ${event.tid}`)
    if (event.name === 'BeginMainThreadFrame') thread?.frames.push(event.ts)
    else if (event.name === 'RunTask' && event.ph === 'X') thread?.tasks.push(event)
  }
  const [busiest] = [...threads.values()].toSorted((a, b) => b.frames.length - a.frames.length)
  if (busiest === undefined || busiest.frames.length < 10) throw new Error('the trace has no frames')
  const frames = busiest.frames.toSorted((a, b) => a - b)
  const work = frames.slice(1).map(() => 0)
  let frame = 0
  for (const { ts, dur = 0 } of busiest.tasks.toSorted((a, b) => a.ts - b.ts)) {
    // A frame's own task began just before its mark.
    while (frame < work.length && (frames[frame + 1] ?? 0) < ts + dur) frame++
    if (frame < work.length && ts + dur >= (frames[0] ?? 0)) work[frame] = (work[frame] ?? 0) + dur / 1000
  }
  return work
}

/** A frame at a time, at reading pace, fast, and through the whole list. */
async function scroll (page: Page): Promise<void> {
  await page.getByRole('grid', { name: 'Pins' }).evaluate(async (grid) => {
    const frames = 240
    for (const step of [120, 300, (grid.scrollHeight - grid.clientHeight) / frames]) {
      grid.scrollTop = 0
      for (let frame = 0; frame < frames; frame++) {
        await new Promise((resolve) => { requestAnimationFrame(resolve) })
        grid.scrollTop += step
      }
    }
  })
}

/** Opens the dashboard that this peer serves and scrolls through its pins. */
export async function benchScroll (stage: Stage, figures: Figures, base: string, pins: number, profile: string | undefined): Promise<void> {
  const browser = await stage.browser()
  const begin = performance.now()
  const page = await openTab(browser, `${base}/webui/`)
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.locator(`[role=grid][aria-rowcount="${pins + 1}"]`).waitFor({ timeout: 60_000 })
  const label = `${pins.toLocaleString('en')} pins`
  figures.note(`${label}: dashboard, navigation to whole list, s`, (performance.now() - begin) / 1000)
  const session = await page.context().newCDPSession(page)
  const work = workPerFrame(await traced(session, async () => { await scroll(page) }))
  figures.note(`${label}: dashboard, main-thread work a frame while scrolling, p50 ms`, quantile(work, 0.5))
  figures.note(`${label}: dashboard, main-thread work a frame while scrolling, p95 ms`, quantile(work, 0.95), '≤ 8')
  figures.note(`${label}: dashboard, longest frame ms`, Math.max(...work))
  figures.note(`${label}: dashboard, frames measured`, work.length)
  if (profile !== undefined) await profiled(page, `${profile}/scroll.cpuprofile`, async () => { await scroll(page) })
  await browser.close()
}
