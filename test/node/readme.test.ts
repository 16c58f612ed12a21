/** The README says what works: its example runs, its commands exist. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../processes.ts'
import manifest from '../../package.json' with { type: 'json' }

const root = join(import.meta.dirname, '../..')
const readme = await readFile(join(root, 'README.md'), 'utf8')
const blocks = (language: string): string[] => [...readme.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text)
const commands = blocks('sh').flatMap((block) => block.split('\n')).flatMap((line) => line.replace(/\s+#.*$/, '').split(' && ')).map((line) => line.trim()).filter((line) => line !== '')

test('the example of the library runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-readme-'))
  onTestFinished(async () => { await rm(folder, { recursive: true, force: true }) })
  const env = { IPFS_CLUSTER_PATH: join(folder, 'peer'), CLUSTER_MDNSINTERVAL: '0s' }
  expect((await run('ipfs-cluster-service', ['init', '--ipfs', 'helia', '--randomports'], { env })).code).toBe(0)
  const example = blocks('ts').find((block) => block.includes("'pinswarm/node'")) ?? ''
  expect(example).toContain("from 'pinswarm/node'")
  await writeFile(join(folder, 'example.ts'), example.replace("'pinswarm/node'", JSON.stringify(join(root, 'node/index.ts'))))
  const child = spawn(process.execPath, ['example.ts'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (data: Buffer) => { out += data.toString() })
  const [code] = await once(child, 'close') as [number | null]
  expect([code, out]).toEqual([0, expect.stringMatching(/^hello\.txt Qm\w{44}\nQm\w{44} \n$/)])
})

test('its scripts exist', () => {
  const scripts = commands.flatMap((command) => /^npm (?:run (?:-s )?)?([a-z]+)/.exec(command)?.[1] ?? []).filter((script) => script !== 'ci')
  expect(scripts).toEqual(expect.arrayContaining(['start', 'ctl', 'service', 'test', 'check', 'bench', 'size']))
  for (const script of scripts) expect(Object.keys(manifest.scripts)).toContain(script)
})

test('its commands of the service exist', async () => {
  const lines = commands.flatMap((command) => /^(?:ipfs-cluster-service|npm run -s service --) (.+)$/.exec(command)?.[1] ?? [])
  expect(lines.length).toBeGreaterThan(4)
  for (const line of lines) {
    const words = line.split(' ').filter((word) => !word.includes('.'))
    const { code, stderr } = await run('ipfs-cluster-service', [...words.filter((word) => !word.startsWith('-') && word !== 'helia'), '--help'])
    expect(code, `${line}: ${stderr}`).toBe(0)
  }
})
