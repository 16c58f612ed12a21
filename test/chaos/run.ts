/**
 * npm run test:chaos [-- options, see options.ts]: clusters under random faults, in simulation and as real processes.
 * Prints a line a seed and at the end `N seeds passed, N failed`. Exit code 0 only when none failed and some passed.
 */
import type { Outcome } from './outcome.ts'
import { failedSeeds, keepFailedSeed } from './failed-seeds.ts'
import { readOptions, usage, type ChaosOptions, type Suite } from './options.ts'
import { simulate } from './simulation/simulation.ts'

const suites: Readonly<Record<Suite, (seed: number) => Promise<Outcome>>> = {
  sim: simulate,
  processes: async (seed) => await (await import('./processes/process-run.ts')).runProcesses(seed)
}

/** Those kept from earlier failures, then new ones. */
async function * seedsFor (suite: Suite, { seed, seeds, from, minutes }: ChaosOptions): AsyncGenerator<number> {
  if (seed !== undefined) {
    yield seed
    return
  }
  const kept = (await failedSeeds())[suite]
  yield * kept
  const end = minutes === undefined ? undefined : Date.now() + minutes * 60_000
  for (let next = from; end === undefined ? next < from + seeds[suite] : Date.now() < end; next++) if (!kept.includes(next)) yield next
}

async function runSeed (suite: Suite, seed: number, trace: boolean): Promise<boolean> {
  const begun = performance.now()
  const { failures, trace: done, operations, acknowledged, pins, agreedAfter, text } = await suites[suite](seed)
  const passed = failures.length === 0
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  console.log(`${suite} ${seed} ${passed ? 'passed' : 'FAILED'} in ${seconds} s: ${text}; ${acknowledged} of ${operations} operations acknowledged, ${pins} pins, agreed after ${(agreedAfter / 1000).toFixed(1)} s`)
  if (trace || !passed) console.log(done.slice(trace ? 0 : -40).map((line) => `    ${line}`).join('\n'))
  for (const failure of failures) console.log(`  ${failure}`)
  if (!passed) await keepFailedSeed(suite, seed)
  return passed
}

async function main (): Promise<number> {
  let options: ChaosOptions
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
    return 2
  }
  let [passed, failed] = [0, 0]
  for (const suite of options.suites) {
    for await (const seed of seedsFor(suite, options)) {
      if (await runSeed(suite, seed, options.trace)) passed++
      else {
        failed++
        console.log(`  again: npm run test:chaos -- --only ${suite} --seed ${seed} --trace`)
      }
    }
  }
  console.log(`${passed} seeds passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void import('./processes/proc-member.ts').then(async ({ removeAll }) => { await removeAll() }).finally(() => { process.exit(130) })
  })
}

// The simulation's own time holds no process; an error that nobody handles is a failure of its seed, and ends the run.
const alive = setInterval(() => {}, 60_000)
try { process.exitCode = await main() } finally { clearInterval(alive) }
