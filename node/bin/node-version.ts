import { setFlagsFromString } from 'node:v8'

/** Stops with a plain message on a Node that cannot run the programs. Imports nothing that old versions lack, so that they get this far. */
export function checkNode (versions: { readonly node: string } = process.versions): void {
  const [major = 0, minor = 0] = versions.node.split('.').map(Number)
  // Node 24 may never end: `process.exit` waits for V8's workers, and a worker that builds code waits for a collection by the main thread.
  if (major === 24) setFlagsFromString('--no-maglev-build-code-on-background')
  if (major > 22 || (major === 22 && minor >= 19)) return
  process.stderr.write(`This program needs Node 22.19 or newer; this is Node ${versions.node}. See https://nodejs.org.\n`)
  process.exit(1)
}
