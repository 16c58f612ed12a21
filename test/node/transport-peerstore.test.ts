import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, it, onTestFinished } from 'vitest'
import { readPeerstore, writePeerstore } from '../../node/transport/peerstore-file.ts'
import { peerOf } from '../../src/transport/addresses.ts'

const ids = ['12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5', '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'] as const

async function setUp () {
  const folder = await mkdtemp(join(tmpdir(), 'peerstore-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const errors: unknown[][] = []
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: (...values: unknown[]) => { errors.push(values) } }
  return { path: join(folder, 'peerstore'), errors, log }
}

it('reads addresses, passes over comments, and logs lines that are broken', async () => {
  const { path, errors, log } = await setUp()
  expect(await readPeerstore(path, log)).toEqual([])
  await writeFile(path, `# comment\n/ip4/1.2.3.4/tcp/1/p2p/${ids[0]}\n\n/ip4/nonsense\n/ip4/1.2.3.4/tcp/2\n  /dns4/a.example/tcp/3/ws/p2p/${ids[1]}  \n`)
  expect((await readPeerstore(path, log)).map(String)).toEqual([`/ip4/1.2.3.4/tcp/1/p2p/${ids[0]}`, `/dns4/a.example/tcp/3/ws/p2p/${ids[1]}`])
  expect(errors.map((values) => values[2])).toEqual([4, 5])
})

it('writes sorted lines, names alone where there are names, no relays, and reads them back', async () => {
  const { path, log } = await setUp()
  const peers = ids.map((id, index) => {
    const texts = index === 0 ? ['/ip4/9.9.9.9/tcp/1', '/dns4/b.example/tcp/1', '/dns4/a.example/tcp/1'] : ['/ip4/2.2.2.2/tcp/1', `/ip4/2.2.2.2/tcp/1/p2p/${ids[0]}/p2p-circuit`, '/ip4/2.2.2.2/tcp/1']
    const addresses = texts.map((text) => multiaddr(`${text}/p2p/${id}`))
    return { peer: peerOf(multiaddr(`/p2p/${id}`)), addresses }
  }).flatMap(({ peer, addresses }) => peer === undefined ? [] : [{ peer, addresses }])
  await writePeerstore(path, peers)
  expect(await readFile(path, 'utf8')).toBe([`/dns4/a.example/tcp/1/p2p/${ids[0]}`, `/dns4/b.example/tcp/1/p2p/${ids[0]}`, `/ip4/2.2.2.2/tcp/1/p2p/${ids[1]}`, ''].join('\n'))
  expect((await stat(path)).mode & 0o777).toBe(0o644)
  expect((await readPeerstore(path, log)).length).toBe(3)
})
