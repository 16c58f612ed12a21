/** Flags as the programs of Go take them: a long name after one dash or two. */

/** `-name value` and `-name=value` become `--name…` for every long name that exists; short flags stay. */
export function twoDashes (args: readonly string[], longNames: ReadonlySet<string>): readonly string[] {
  const end = args.indexOf('--')
  return args.map((arg, index) => {
    if (end >= 0 && index >= end) return arg
    const name = /^-([a-z][\w-]+)(=.*)?$/i.exec(arg)?.[1]
    return name !== undefined && longNames.has(name) ? `-${arg}` : arg
  })
}
