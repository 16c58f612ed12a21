/**
 * A peer that runs for months should not keep the memory of its busiest minute. V8's young generation grows to 134 MB under load, and its old one
 * to more than twice what is needed (docs/performance.md says what these limits save, and what tighter ones would cost uploads).
 */

/** Of the young generation, in MiB: only a process that begins can have it. */
const youngLimit = '--max-semi-space-size'

/** Begins this process again, under the same process ID, with the limits; the old generation may grow by `percent` of what is in use before it is collected. Does nothing where the user has chosen limits, or where the system cannot. */
export function leanHeap (percent = 100): void {
  const chosen = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ')
  if (/--(?:max|min)[-_]semi[-_]space[-_]size/.test(chosen)) return
  const flags = [`${youngLimit}=16`, `--heap-growing-percent=${percent}`]
  try {
    process.execve?.(process.execPath, [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)], process.env)
  } catch { /* not on Windows, and not where a sandbox forbids it: then as V8 likes it */ }
}
