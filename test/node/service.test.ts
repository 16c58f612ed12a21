/** The commands of ipfs-cluster-service that need no running peer, against the recorded runs of Go's. */
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runService } from '../../node/commands/service/program.ts'
import { decodeJoinLink } from '../../src/join/join-link.ts'
import { lockFolder } from '../../node/lock.ts'
import { openLevelStore } from '../../node/store/level-store.ts'
import { version } from '../../src/version.ts'
import manifest from '../../package.json' with { type: 'json' }
import goConfig from '../vectors/ctl/service-crdt.json' with { type: 'json' }
import transcripts from '../vectors/ctl/transcripts.json' with { type: 'json' }

let home = ''
let folder = ''
beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'pinswarm-service-')); folder = join(home, 'n1') })
afterEach(async () => { await rm(home, { recursive: true, force: true }) })

interface Result { readonly code: number, readonly stdout: string, readonly stderr: string }

async function service (args: readonly string[], settings: { readonly env?: Record<string, string>, readonly stdin?: string } = {}): Promise<Result> {
  let stdout = ''
  let stderr = ''
  const code = await runService(args, {
    stdin: Readable.from(settings.stdin === undefined ? [] : [settings.stdin]),
    environment: { IPFS_CLUSTER_PATH: folder, GOLOG_OUTPUT: 'none', ...settings.env },
    out: (text) => { stdout += text },
    write: async (bytes) => { stdout += Buffer.from(bytes).toString(); await Promise.resolve() },
    tell: (text) => { stderr += text },
    onSignal: () => () => {},
    exitNow: (exitCode) => { throw new Error(`exit ${exitCode}`) }
  })
  return { code, stdout, stderr }
}

/** What Go's program did with these arguments; `~` stands for the home of the recording. */
const recorded = (...args: string[]) => {
  const found = transcripts.find((run) => run.program === 'ipfs-cluster-service' && run.args.join(' ') === args.join(' '))
  if (found === undefined) throw new Error(`not recorded: ${args.join(' ')}`)
  return { code: found.exit, stdout: found.stdout.replaceAll('~', home), stderr: found.stderr.replaceAll('~', home).split('\n').filter((line) => !/^\d{4}-\d\d-\d\dT/.test(line)).join('\n') }
}
const config = async (): Promise<typeof goConfig> => JSON.parse(await readFile(join(folder, 'service.json'), 'utf8')) as typeof goConfig
const lines = (text: string): readonly string[] => text.trim().split('\n').toSorted()

test('the version is that of the package', async () => {
  expect(version).toBe(`1.1.6+pinswarm.${manifest.version}`)
  expect(await service(['version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  expect(await service(['--version'])).toEqual({ code: 0, stdout: `ipfs-cluster-service version ${version}\n`, stderr: '' })
})

test('no command, and one that does not exist, print the help and end with 1', async () => {
  for (const args of [[], ['nope']]) {
    const { code, stdout } = await service(args)
    expect(code).toBe(1)
    expect(stdout).toMatch(/Usage: ipfs-cluster-service[\s\S]+init[\s\S]+daemon[\s\S]+state/)
  }
  expect((await service(['init', '--help'])).code).toBe(0)
  expect((await service(['init', '--nope'])).code).toBe(1)
})

describe('init', () => {
  test('says and writes what Go does', async () => {
    const secret = '22'.repeat(32)
    expect(await service(['init', '--consensus', 'crdt'], { env: { CLUSTER_SECRET: secret } })).toEqual(recorded('init', '--consensus', 'crdt'))
    expect((await readdir(folder)).toSorted()).toEqual(['identity.json', 'peerstore', 'service.json'])
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    const written = await config()
    expect(JSON.stringify({ ...written.cluster, peername: '' })).toBe(JSON.stringify({ ...goConfig.cluster, peername: '' }))
    expect(written.consensus).toEqual(goConfig.consensus)
  })

  test('asks before it overwrites, and keeps the identity', async () => {
    await service(['init'])
    const before = await config()
    const identity = await readFile(join(folder, 'identity.json'), 'utf8')
    const question = 'The configuration file will be overwritten. Continue? [y/n]: '
    expect(await service(['init'])).toEqual({ code: 0, stdout: question, stderr: '' })
    expect(await service(['init'], { stdin: 'what\nn\n' })).toEqual({ code: 0, stdout: question + question, stderr: '' })
    expect(await config()).toEqual(before)
    expect((await service(['init'], { stdin: 'y\n' })).stderr).not.toContain('identity')
    const after = await config()
    expect(after.cluster.secret).not.toBe(before.cluster.secret)
    expect((await service(['init', '-f', '--ipfs', 'helia'])).stdout).toBe('')
    expect(Object.keys((await config()).ipfs_connector)).toEqual(['helia'])
    expect(await readFile(join(folder, 'identity.json'), 'utf8')).toBe(identity)
  })

  test('refuses choices that do not exist, or not yet', async () => {
    expect(await service(['init', '--consensus', 'paxos'])).toEqual(recorded('init', '--consensus', 'paxos'))
    expect(await service(['init', '-consensus', 'raft'])).toEqual({ code: 1, stdout: '', stderr: 'error choosing consensus: raft is not available yet: use crdt\n' })
    expect((await service(['init', '--datastore', 'mongo'])).stderr).toMatch(/^error choosing datastore: flag value must be set to/)
    expect((await service(['init', '--ipfs', 'floppy'])).stderr).toMatch(/^error choosing IPFS:/)
    expect((await service(['init', '--peers', '/ip4/1.2.3.4/tcp/9096'])).stderr).toBe('error parsing --peers: --peers: /ip4/1.2.3.4/tcp/9096 does not end in /p2p/<peer ID>\n')
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
  })

  test('takes peers, a secret, another engine and free ports', async () => {
    const peer = '/ip4/10.0.0.1/tcp/9096/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
    const result = await service(['init', '--peers', peer, '-s', '--randomports', '--datastore', 'pebble'], { stdin: `${'ab'.repeat(32)}\n` })
    expect(result.stdout).toBe('Enter cluster secret (32-byte hex string): ')
    expect(result.stderr).toContain(`peerstore written to ${folder}/peerstore with 1 entries.\n`)
    expect(await readFile(join(folder, 'peerstore'), 'utf8')).toBe(`${peer}\n`)
    const { cluster, consensus, api, datastore } = await config()
    expect(cluster.secret).toBe('ab'.repeat(32))
    expect(consensus.crdt.trusted_peers).toEqual([peer.split('/').at(-1)])
    expect(datastore).toEqual({ pebble: {} })
    const ports = [...cluster.listen_multiaddress, api.restapi.http_listen_multiaddress].map((address) => Number(/\/(?:tcp|udp)\/(\d+)/.exec(address)?.[1]))
    expect(new Set(ports).size).toBe(3)
    for (const port of ports) expect([9094, 9096, 0]).not.toContain(port)
    const bad = await service(['init', '-f', '-s'], { stdin: 'secretish\n' })
    expect(bad).toMatchObject({ code: 1, stderr: 'error parsing user-provided secret: expected exactly 64 hexadecimal characters, got 9 characters\n' })
  })

  test('writes the environment into the file, and only the source for a URL', async () => {
    await service(['init'], { env: { CLUSTER_PEERNAME: 'env', CLUSTER_CRDT_CLUSTERNAME: 'mine' } })
    expect([(await config()).cluster.peername, (await config()).consensus.crdt.cluster_name]).toEqual(['env', 'mine'])
    expect(await service(['init'], { env: { CLUSTER_SECRET: 'zz' } })).toMatchObject({ code: 0 })
    expect(await service(['init', '-f'], { env: { CLUSTER_SECRET: 'zz' } })).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error saving configuration: cluster\.secret: must be exactly 64/) as string })
    await service(['init', '-f', 'https://example.test/x.json'])
    expect(await readFile(join(folder, 'service.json'), 'utf8')).toBe('{\n  "source": "https://example.test/x.json"\n}')
    expect((await service(['init', '-f', 'ipns://x'])).stderr).toContain('source: must be an http or https URL')
  })
})

describe('daemon refuses to start', () => {
  test('without a configuration', async () => {
    expect(await service(['daemon'])).toEqual({ code: 1, stdout: '', stderr: `error loading configurations: open ${folder}/service.json: no such file or directory\n` })
  })

  test('with a bad value, naming its key and not showing it', async () => {
    await service(['init'])
    const good = await config()
    const cases: ReadonlyArray<readonly [object, string]> = [
      [{ ...good, cluster: { ...good.cluster, secret: 'abcdef' } }, 'cluster.secret: must be exactly 64'],
      [{ ...good, cluster: { ...good.cluster, dial_peer_timeout: '-1s' } }, 'cluster.dial_peer_timeout: must be greater than zero'],
      [{ ...good, ipfs_connector: { ...good.ipfs_connector, helia: {} } }, 'ipfs_connector: exactly one of'],
      [{ ...good, informer: { disk: { metric_ttl: '30s', metric_type: 'x' } } }, 'informer.disk.metric_type: must be']
    ]
    for (const [document, message] of cases) {
      await writeFile(join(folder, 'service.json'), JSON.stringify(document))
      const { code, stderr } = await service(['daemon'])
      expect(code).toBe(1)
      expect(stderr).toContain(`error loading configurations: ${message}`)
      expect(stderr).not.toContain('abcdef')
    }
    await writeFile(join(folder, 'service.json'), '{"cluster": {"secret": "abcdef"')
    const { stderr } = await service(['daemon'])
    expect(stderr).toMatch(/^error loading configurations: service\.json: not valid JSON/)
    expect(stderr).not.toContain('abcdef')
  })

  test('on a folder that another process has', async () => {
    await service(['init'])
    const lock = await lockFolder(folder)
    const expected = recorded('daemon')
    expect(expected.code).toBe(1)
    const { code, stderr } = await service(['daemon'])
    expect(code).toBe(1)
    expect(stderr).toBe(`error obtaining execution lock: lock ${folder}/cluster.lock: someone else has the lock. If no other ipfs-cluster-service process is running, remove ${folder}/cluster.lock, or make sure that the config folder is writable for the user running ipfs-cluster-service.\n`)
    await lock.release()
  })

  test('to join through something that is no peer', async () => {
    expect((await service(['daemon', '-j', 'localhost'])).stderr).toBe('error parsing --bootstrap: --bootstrap: "localhost" is not a multiaddress\n')
  })
})

describe('invite', () => {
  test('prints the command, with the secret and every address', async () => {
    await service(['init'], { env: { CLUSTER_LISTENMULTIADDRESS: '/ip4/10.1.2.3/tcp/9098/ws,/ip4/10.1.2.3/tcp/9096,/ip4/10.1.2.3/udp/9096/quic', CLUSTER_CRDT_CLUSTERNAME: 'my cluster' } })
    const { cluster } = await config()
    const { id } = JSON.parse(await readFile(join(folder, 'identity.json'), 'utf8')) as { id: string }
    const { code, stdout, stderr } = await service(['invite'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`CLUSTER_SECRET=${cluster.secret} CLUSTER_CRDT_CLUSTERNAME='my cluster' npm start -- --bootstrap /ip4/10.1.2.3/tcp/9096/p2p/${id}\n`)
    expect(stdout).toContain(`/ip4/10.1.2.3/tcp/9098/ws/p2p/${id}`)
    expect(stdout).not.toContain('quic')
  })

  test('prints a join link and its QR code, in the role that is asked for, with the secret or without', async () => {
    await service(['init', '--ipfs', 'helia'], { env: { CLUSTER_LISTENMULTIADDRESS: '/ip4/10.1.2.3/tcp/9098/ws,/ip4/127.0.0.1/tcp/9096', CLUSTER_CRDT_TRUSTEDPEERS: '12D3KooWRWTQEAfTUiRJnXDJ3gH6NP7jqgwFYSzrVmwKLMzV4Cay' } })
    const { cluster } = await config()
    const { id } = JSON.parse(await readFile(join(folder, 'identity.json'), 'utf8')) as { id: string }
    const linkIn = (text: string) => decodeJoinLink(/https?:\/\/\S+#join=\S+/.exec(text)?.[0] ?? '')
    const member = await service(['invite'])
    expect(member.stdout).toContain('http://127.0.0.1:9094/webui/#join=')
    expect(linkIn(member.stdout)).toMatchObject({ role: 'member', secret: cluster.secret, clusterName: 'ipfs-cluster' })
    expect(linkIn(member.stdout)?.addresses.map(String)).toEqual([`/ip4/10.1.2.3/tcp/9098/ws/p2p/${id}`])
    // Newcomers trust whom this peer trusts, and that is itself, too.
    expect(String(linkIn(member.stdout)?.trustedPeers)).toBe(`${id},12D3KooWRWTQEAfTUiRJnXDJ3gH6NP7jqgwFYSzrVmwKLMzV4Cay`)
    expect(member.stdout.split('\n').filter((line) => line.startsWith('██') && line.endsWith('██')).length).toBeGreaterThan(20)
    const reader = await service(['invite', '--role', 'reader', '--no-secret', '--url', 'https://dash.example/x/'])
    expect(reader.stdout).not.toContain(cluster.secret)
    expect(reader.stdout).toContain('CLUSTER_SECRET=SECRET CLUSTER_FOLLOWERMODE=true npm start')
    expect(reader.stdout).toContain('https://dash.example/x/#join=')
    expect(linkIn(reader.stdout)).toMatchObject({ role: 'reader', secret: undefined })
    expect((await service(['invite', '--role', 'king'])).stderr).toMatch(/^error making the invitation: --role: "king"/)
    expect((await service(['invite', '--url', 'dash'])).stderr).toMatch(/^error making the invitation: --url: "dash"/)
    const help = (await service(['invite', '--help'])).stdout
    for (const word of ['reader', 'consensus.crdt.trusted_peers', 'https', 'ssl_cert_file', 'Examples']) expect(help).toContain(word)
  })

  test('says what is missing for browsers', async () => {
    await service(['init'], { env: { CLUSTER_LISTENMULTIADDRESS: '/ip4/10.1.2.3/tcp/9096' } })
    expect((await service(['invite'])).stdout).toContain('No join link for browsers: this peer needs a listener for them, such as /ip4/0.0.0.0/tcp/9098/ws')
  })

  test('has nothing to say of a peer without a secret or an address', async () => {
    await service(['init'], { env: { CLUSTER_LISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/0' } })
    expect((await service(['invite'])).stderr).toMatch(/^error making the invitation: this peer has no fixed TCP address/)
    const open = await config()
    await writeFile(join(folder, 'service.json'), JSON.stringify({ ...open, cluster: { ...open.cluster, secret: '' } }))
    expect((await service(['invite'])).stderr).toMatch(/^error making the invitation: cluster\.secret is empty/)
  })
})

describe('state', () => {
  const golden = join(import.meta.dirname, '../vectors/wire/state-export.jsonl')
  const exported = async (): Promise<readonly string[]> => lines((await service(['state', 'export'])).stdout)
  /** Of two pins of one CID the later one stays. */
  const kept = async (): Promise<readonly string[]> => {
    const byCid = new Map((await readFile(golden, 'utf8')).trim().split('\n').map((line) => [(JSON.parse(line) as { cid: string }).cid, line]))
    return [...byCid.values()].toSorted()
  }

  test('what Go exported is imported and exported again, byte for byte', async () => {
    await service(['init'])
    expect(await service(['state', 'import', '-f', golden])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await exported()).toEqual(await kept())
    const file = join(home, 'out')
    expect(await service(['state', 'export', '-f', file])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(lines(await readFile(file, 'utf8'))).toEqual(await kept())
    expect(await service(['state', 'cleanup', '-f'])).toEqual(recorded('state', 'cleanup', '-f'))
    expect((await service(['state', 'export'])).stdout).toBe('')
  })

  test('from stdin, in any layout, after a question', async () => {
    await service(['init'])
    const pretty = (await readFile(golden, 'utf8')).trim().split('\n').map((line) => JSON.stringify(JSON.parse(line), null, 2)).join('')
    const { code, stdout, stderr } = await service(['state', 'import'], { stdin: `y\n${pretty}` })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'The pinset (state) of this peer will be replaced. Continue? [y/n]: ', stderr: 'reading from stdin, Ctrl-D to finish\n' })
    expect(await exported()).toEqual(await kept())
    expect((await service(['state', 'cleanup'], { stdin: 'n\n' })).stdout).toBe('The peer state will be removed.  Existing pins may be lost. Continue? [y/n]: ')
    expect(await exported()).toEqual(await kept())
  })

  test('a bad import changes nothing', async () => {
    await service(['init'])
    await service(['state', 'import', '-f', golden])
    expect(await service(['state', 'import', '-f', 'nosuch'])).toEqual(recorded('state', 'import', '-f', 'nosuch'))
    const first = (await readFile(golden, 'utf8')).split('\n')[0] ?? ''
    const cases: ReadonlyArray<readonly [string, string]> = [
      [`${first}\nnot json`, 'pin 1: expected a JSON object'], [`${first}{"cid":"nope"}`, 'pin 2: cid'], [`${first}\n{"cid":`, 'the text ends inside an object'],
      [first.replace('"recursive"', '5'), 'pin 1: mode'], ['[]', 'expected a JSON object'], [first.replace('"my pin"', JSON.stringify('x'.repeat(2 ** 20))), 'are too long to be stored']
    ]
    for (const [text, message] of cases) {
      const bad = join(home, 'bad')
      await writeFile(bad, text)
      const { code, stderr } = await service(['state', 'import', '-f', bad])
      expect([code, stderr]).toEqual([1, expect.stringContaining('error importing state: ')])
      expect(stderr).toContain(message)
      expect(await exported(), message).toEqual(await kept())
    }
  })

  test('overrides of an import', async () => {
    await service(['init'])
    const peer = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
    expect((await service(['state', 'import', '-f', '--rmin', '1', '--rmax', '2', '--allocs', peer, golden])).code).toBe(0)
    for (const line of await exported()) expect(JSON.parse(line)).toMatchObject({ replication_factor_min: 1, replication_factor_max: 2, allocations: [peer] })
    expect((await service(['state', 'import', '-f', '--allocs', 'nobody', golden])).stderr).toBe('error parsing flags: --allocs: "nobody" is not a peer ID\n')
    expect((await service(['state', 'import', '-f', '--rmin', 'x', golden])).stderr).toBe('error parsing flags: --rmin: expected an integer\n')
  })

  test('crdt info and marks, as Go prints them', async () => {
    await service(['init'])
    expect(await service(['state', 'crdt', 'info'])).toEqual({ code: 0, stdout: 'Number of heads: 0. Current max-height: 0. Dirty: false\nHeads: []', stderr: '\npins: 0, blocks: 0, missing blocks: 0\n' })
    await service(['state', 'import', '-f', golden])
    const clean = await service(['state', 'crdt', 'info'])
    expect(clean.stdout).toMatch(/^Number of heads: 1\. Current max-height: 1\. Dirty: false\nHeads: \[bafybei[a-z2-7]{52}\]$/)
    expect(await service(['state', 'crdt', 'mark-dirty'])).toEqual({ code: 0, stdout: "Datastore marked 'dirty'\n", stderr: '' })
    expect((await service(['state', 'crdt', 'info'])).stdout).toBe(clean.stdout.replace('false', 'true'))
    expect(await service(['state', 'crdt', 'mark-clean'])).toEqual({ code: 0, stdout: "Datastore marked 'clean'\n", stderr: '' })
    expect(await service(['state', 'crdt', 'info'])).toEqual(clean)
  })

  test('crdt dot draws the DAG', async () => {
    await service(['init'])
    await service(['state', 'import', '-f', golden])
    const head = /\[(\w+)\]/.exec((await service(['state', 'crdt', 'info'])).stdout)?.[1] ?? ''
    const graph = `digraph CRDTDAG {\nsubgraph heads {\n${head}\n}\n${head} [label="1 | ${head.slice(-4)}: +${(await kept()).length} -0"]\n${head} -> {}\nsubgraph sg_${head} {\n}\n}\n`
    expect(await service(['state', 'crdt', 'dot'])).toEqual({ code: 0, stdout: graph, stderr: '' })
    const file = join(home, 'dag.dot')
    expect(await service(['state', 'crdt', 'dot', '-f', file])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await readFile(file, 'utf8')).toBe(graph)
    expect((await service(['state', 'crdt', 'dot', '-f', join(home, 'no', 'such')])).stderr).toMatch(/^error writing the graph: ENOENT/)
  })

  test('crdt repair mends what does not open', async () => {
    await service(['init'])
    await service(['state', 'import', '-f', golden])
    const data = join(folder, 'leveldb')
    for (const name of await readdir(data)) if (name.startsWith('MANIFEST') || name === 'CURRENT') await rm(join(data, name))
    const refused = await service(['state', 'export'])
    expect(refused).toEqual({ code: 1, stdout: '', stderr: `error opening the datastore: the data folder ${data} is damaged: the file CURRENT is missing; stop the peer and mend it with \`ipfs-cluster-service state crdt repair\`\n` })
    const count = (await kept()).length
    expect(await service(['state', 'crdt', 'repair'])).toEqual({ code: 0, stdout: `Datastore repaired. pins: ${count}, blocks: 1, missing blocks: 0\n`, stderr: `${refused.stderr.slice('error opening the datastore: '.length)}mending the files of the store\n` })
    expect(await exported()).toEqual(await kept())
    expect(await service(['state', 'crdt', 'repair'])).toMatchObject({ code: 0, stderr: '' })
    expect(await exported()).toEqual(await kept())
  })

  test('crdt repair mends the pins of the embedded IPFS, too', async () => {
    await service(['init', '--ipfs', 'helia'])
    const pins = join(folder, 'helia', 'pins')
    await mkdir(pins, { recursive: true })
    const store = await openLevelStore(pins)
    await store.batch([{ type: 'put', key: 'pin/a', value: Buffer.from('-1') }])
    await store.close()
    await rm(join(pins, 'CURRENT'))
    const { code, stdout, stderr } = await service(['state', 'crdt', 'repair'])
    expect([code, stdout, stderr]).toEqual([0, 'Datastore repaired. pins: 0, blocks: 0, missing blocks: 0\n', expect.stringContaining(`${pins} is damaged: the file CURRENT is missing`)])
    const again = await openLevelStore(pins)
    expect(await again.has('pin/a')).toBe(true)
    await again.close()
  })

  test('needs the daemon to be stopped', async () => {
    await service(['init'])
    const lock = await lockFolder(folder)
    for (const args of [['export'], ['cleanup', '-f'], ['import', '-f', golden], ['crdt', 'info'], ['crdt', 'dot'], ['crdt', 'mark-dirty'], ['crdt', 'mark-clean'], ['crdt', 'repair']]) expect((await service(['state', ...args])).stderr, args[0]).toMatch(/^error obtaining execution lock:/)
    await lock.release()
    await mkdir(join(home, 'empty'))
    expect((await service(['-c', join(home, 'empty'), 'state', 'export'])).stderr).toMatch(/^error loading configurations: open .*empty\/service\.json/)
  })
})
