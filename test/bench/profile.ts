/** Where a peer's main thread spends its time: CPU profiles of Node, added up by area. */
import { readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

interface Frame { readonly functionName: string, readonly url: string }
interface ProfileNode { readonly id: number, readonly callFrame: Frame, readonly children?: readonly number[] }
interface Profile { readonly nodes: readonly ProfileNode[], readonly samples: readonly number[], readonly timeDeltas: readonly number[] }

/** Environment of a Node process that should write its profile into this folder when it ends. */
export const profiling = (folder: string): NodeJS.ProcessEnv => ({ NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` })

/** Names what was written since the last call after what ran. */
export async function nameProfile (folder: string, name: string): Promise<void> {
  for (const file of await readdir(folder)) if (file.startsWith('CPU.')) await rename(join(folder, file), join(folder, `${name}.cpuprofile`))
}

/** By function where it says enough, else by file; the first that fits. */
const byFunction: ReadonlyArray<readonly [RegExp, string]> = [
  [/^\(idle\)$/, 'idle'], [/^\(garbage collector\)$/, 'garbage collection'], [/^\(program\)$/, 'native code outside JavaScript'],
  [/^(writev|writeBuffer|writeUtf8String|writeLatin1String|writeAsciiString|shutdown|readStart|readStop)$/, 'sockets: system calls'],
  [/^(signOneShot|verifyOneShot|SignJob|VerifyJob|hashAndSign|hashAndVerify)$/, 'signatures'], [/^(oneShotDigest|Hash|digest|HashJob)$/, 'hashes'],
  [/^compile/, 'loading the program'], [/^(parse|stringify)$/, '?json']
]
const byFile: ReadonlyArray<readonly [RegExp, string]> = [
  [/node:internal\/(modules|bootstrap|deps\/amaro)|^wasm:/, 'loading the program'],
  [/classic-level|abstract-level|node\/store\//, 'LevelDB, its JavaScript side'],
  [/@bufbuild|\/gen\/|-proto\.ts|protons|protobuf/, 'protobuf'], [/-json\.ts|status-text|\/json\//, 'JSON'],
  [/@noble\/(curves|hashes)|@libp2p\/crypto|internal\/crypto/, 'signatures and hashes'], [/@noble\/ciphers|libp2p-noise|transport\/psk|protector/, 'encryption of connections'],
  [/src\/ipfs\/|node\/ipfs\/|undici|node:_http_(client|agent)/, 'kubo client'], [/node:(_http|net|internal\/(http|stream|net))|llhttp|node:stream|node:events|node:internal\/streams/, 'HTTP and sockets of Node'],
  [/multiformats|uint8arrays/, 'CIDs and bases'], [/gossipsub|libp2p|yamux|src\/transport|src\/exchange|src\/rpc/, 'libp2p and exchange'],
  [/hono|src\/api|node\/http/, 'REST API'], [/src\/consensus|src\/crdt/, 'consensus'], [/src\/tracker/, 'tracker'], [/src\/cluster|src\/allocator|src\/monitor|src\/informer|src\/pin\//, 'pin pipeline'],
  [/^node:|^$/, 'the rest of Node']
]

function areaOf ({ functionName, url }: Frame, above: string | undefined): string {
  const named = byFunction.find(([pattern]) => pattern.test(functionName))?.[1]
  if (named === '?json' && url === '') return 'JSON'
  if (named !== undefined && named !== '?json') return named
  // Built-ins count for who called them.
  if (url === '' && above !== undefined) return above
  return byFile.find(([pattern]) => pattern.test(url))?.[1] ?? 'other'
}

export interface Share { readonly area: string, readonly milliseconds: number, readonly part: number }

/** Self time by area, the most first; parts of what was not idle. */
export function sharesOf ({ nodes, samples, timeDeltas }: Profile): readonly Share[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const areas = new Map<number, string>()
  const [root] = nodes
  const stack: Array<readonly [ProfileNode, string | undefined]> = root === undefined ? [] : [[root, undefined]]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [node, above] = next
    const area = areaOf(node.callFrame, above)
    areas.set(node.id, area)
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child !== undefined) stack.push([child, node === root ? undefined : area])
    }
  }
  const times = new Map<string, number>()
  samples.forEach((id, index) => {
    const area = areas.get(id) ?? 'other'
    times.set(area, (times.get(area) ?? 0) + (timeDeltas[index] ?? 0) / 1000)
  })
  times.delete('idle')
  const busy = [...times.values()].reduce((sum, time) => sum + time, 0)
  return [...times].map(([area, milliseconds]) => ({ area, milliseconds, part: milliseconds / busy })).toSorted((a, b) => b.milliseconds - a.milliseconds)
}

/** What the profiles in a folder say, as lines to print. */
export async function profileLines (folder: string): Promise<readonly string[]> {
  const lines: string[] = []
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile')).toSorted()) {
    const shares = sharesOf(JSON.parse(await readFile(join(folder, file), 'utf8')) as Profile)
    const busy = shares.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
    lines.push(`${file}: busy ${Math.round(busy)} ms`, ...shares.filter(({ part }) => part >= 0.005).map(({ area, milliseconds, part }) => `  ${(part * 100).toFixed(1).padStart(5)} %  ${Math.round(milliseconds).toString().padStart(7)} ms  ${area}`))
  }
  return lines
}
