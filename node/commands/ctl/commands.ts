/** The commands of the program: their names, one line on each, and where they are. Loaded one at a time. */
import type { Command } from './command.ts'

interface CommandEntry { readonly name: string, readonly summary: string, readonly load: () => Promise<Command> }

/** Groups of commands, in the order of help. */
export const groups: Readonly<Record<string, string>> = {
  peers: 'The members of the cluster', pin: 'What the cluster keeps', health: 'How the cluster is doing', ipfs: 'The IPFS of each peer'
}

export const commands: readonly CommandEntry[] = [
  { name: 'id', summary: 'Show the peer that answers', load: async () => (await import('./id.ts')).id },
  { name: 'peers ls', summary: 'List the members', load: async () => (await import('./peers-ls.ts')).peersLs },
  { name: 'peers rm', summary: 'Remove a member', load: async () => (await import('./peers-rm.ts')).peersRm },
  { name: 'add', summary: 'Add files and directories and pin them', load: async () => (await import('./add.ts')).add },
  { name: 'get', summary: 'Write files and directories of the cluster to disk', load: async () => (await import('./get.ts')).get },
  { name: 'cat', summary: 'Print a file of the cluster', load: async () => (await import('./cat.ts')).cat },
  { name: 'pin add', summary: 'Pin a CID or path', load: async () => (await import('./pin-add.ts')).pinAdd },
  { name: 'pin rm', summary: 'Unpin a CID or path', load: async () => (await import('./pin-rm.ts')).pinRm },
  { name: 'pin update', summary: 'Pin new content in the place of a pin', load: async () => (await import('./pin-update.ts')).pinUpdate },
  { name: 'pin ls', summary: 'List the pinset', load: async () => (await import('./pin-ls.ts')).pinLs },
  { name: 'status', summary: 'Show how far each peer is with its pins', load: async () => (await import('./status.ts')).status },
  { name: 'recover', summary: 'Try again what is in error', load: async () => (await import('./recover.ts')).recover },
  { name: 'version', summary: 'Show the version of the peer', load: async () => (await import('./version.ts')).version },
  { name: 'health graph', summary: 'Draw who sees whom, for Graphviz', load: async () => (await import('./health-graph.ts')).healthGraph },
  { name: 'health metrics', summary: 'List metrics, or the values of one', load: async () => (await import('./health-metrics.ts')).healthMetrics },
  { name: 'health alerts', summary: 'List peers whose metrics ran out', load: async () => (await import('./health-alerts.ts')).healthAlerts },
  { name: 'health bandwidth', summary: 'Show traffic by protocol', load: async () => (await import('./health-bandwidth.ts')).healthBandwidth },
  { name: 'health sync', summary: 'Show how far the pinset has come', load: async () => (await import('./health-sync.ts')).healthSync },
  { name: 'ipfs gc', summary: 'Collect garbage on every IPFS', load: async () => (await import('./ipfs-gc.ts')).ipfsGc }
]

/** Every name, groups before their commands. */
export const commandNames: readonly string[] = [...new Set(commands.flatMap(({ name }) => [name.split(' ')[0] ?? '', name]))]

export type Found = { readonly kind: 'group', readonly name: string } | { readonly kind: 'command', readonly name: string, readonly rest: readonly string[], readonly load: () => Promise<Command> }

/** The command that these words begin with; undefined when there is none. */
export function findCommand (words: readonly string[]): Found | undefined {
  const [first = '', second = '', ...rest] = words
  const direct = commands.find(({ name }) => name === first)
  if (direct !== undefined) return { kind: 'command', name: direct.name, rest: words.slice(1), load: direct.load }
  if (!Object.hasOwn(groups, first)) return undefined
  const inGroup = commands.find(({ name }) => name === `${first} ${second}`)
  if (inGroup !== undefined) return { kind: 'command', name: inGroup.name, rest, load: inGroup.load }
  return second === '' || second.startsWith('-') || second === 'help' || second === 'h' ? { kind: 'group', name: first } : undefined
}
