/** Help texts, made from what commands say of themselves. */
import { commands, groups } from './commands.ts'
import { dashed } from './command.ts'
import { globalFlags } from './globals.ts'
import type { Command, Flags } from './command.ts'

const columns = (rows: ReadonlyArray<readonly [left: string, right: string]>): string => {
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd() + '\n').join('')
}

const flagRows = (flags: Flags): ReadonlyArray<readonly [string, string]> => Object.entries(flags).map(([key, flag]) => {
  const names = [dashed(key), ...flag.names].map((name) => name.length === 1 ? `-${name}` : `--${name}`)
  return [`${names.join(', ')}${flag.value === undefined ? '' : ` <${flag.value}>`}`, flag.help]
})

const summaries = (prefix: string): string => {
  const direct = commands.filter(({ name }) => prefix === '' ? !name.includes(' ') : name.startsWith(`${prefix} `)).map(({ name, summary }) => [name, summary] as const)
  const inGroups = prefix === '' ? Object.entries(groups).map(([name, summary]) => [`${name} …`, `${summary}: ${commands.filter((each) => each.name.startsWith(`${name} `)).map((each) => each.name.split(' ')[1]).join(', ')}`] as const) : []
  return columns([...direct, ...inGroups])
}

export const programHelp = (): string => `ipfs-cluster-ctl talks to a peer of an IPFS cluster: add files, pin, see where everything is.

Usage: ipfs-cluster-ctl [options] <command> [command options] [arguments]

Commands:
${summaries('')}
Options (before the command):
${columns(flagRows(globalFlags))}
Examples:
  ipfs-cluster-ctl add photo.jpg                  add a file; every peer that should hold it has it when this returns
  ipfs-cluster-ctl pin ls                         what the cluster keeps
  ipfs-cluster-ctl status --filter error          what went wrong, and where
  ipfs-cluster-ctl --host /ip4/10.0.0.5/tcp/9094 peers ls
  ipfs-cluster-ctl --enc json id                  JSON for programs

ipfs-cluster-ctl <command> --help explains a command.
Exit codes: 0 done, 1 wrong use or no connection, 2 the API said no, 3 unknown command, 62 --wait-timeout is over, 125 cancelled.
`

export const groupHelp = (group: string): string => `${groups[group]}.

Usage: ipfs-cluster-ctl ${group} <command> [options] [arguments]

Commands:
${summaries(group)}
ipfs-cluster-ctl ${group} <command> --help explains a command.
`

export function commandHelp (name: string, { usage, description, examples, flags }: Command): string {
  const rows = flagRows(flags)
  return `${description}

Usage: ipfs-cluster-ctl ${[name, ...rows.length > 0 ? ['[options]'] : [], ...usage === '' ? [] : [usage]].join(' ')}
${rows.length === 0 ? '' : `\nOptions:\n${columns(rows)}`}
Examples:
${columns(examples.map(([line, purpose]) => [`ipfs-cluster-ctl ${line}`, purpose]))}`
}
