/** Stops with a plain message on a Node that cannot run the programs. Imports nothing, so that old versions get this far. */
export function checkNode (versions: { readonly node: string } = process.versions): void {
  const [major = 0, minor = 0] = versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 19)) return
  process.stderr.write(`This program needs Node 22.19 or newer; this is Node ${versions.node}. See https://nodejs.org.\n`)
  process.exit(1)
}
