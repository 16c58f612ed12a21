/** webrtc-direct of a Node peer: open where the swarm is, its certificate kept. Who is refused, and how, test/e2e/membership.spec.ts shows with peers in processes of their own. */
import type { Libp2pTransport } from '../../src/transport/libp2p.ts'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { directCertificate } from '../../node/transport/direct-certificate.ts'
import { stopAll } from '../../src/component.ts'
import { newMember, webRtcDirectListen } from './network.ts'

const address = (member: Libp2pTransport) => member.addresses()[0] ?? multiaddr('/ip4/127.0.0.1/tcp/1')

// node-datachannel 0.33.4 does not take it well when a process stops a listener and goes on with WebRTC: all stop at the end.
const stopping: Array<{ start: () => Promise<void>, stop: () => Promise<void> }> = []
afterAll(async () => { await stopAll(stopping) })

async function start (...members: Libp2pTransport[]): Promise<void> {
  stopping.push(...members)
  for (const member of members) await member.start()
}

it('needs no proof in an open swarm', async () => {
  const [one, other] = [await newMember({ secret: '' }), await newMember({ secret: '', listen: webRtcDirectListen })]
  await start(one, other)
  expect((await one.connect(address(other))).equals(other.peerId)).toBe(true)
})

it('keeps its certificate in a file, so that the address stays the same; says when the file is damaged', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pinswarm-certificate-'))
  onTestFinished(async () => { await rm(folder, { recursive: true }) })
  const path = join(folder, 'webrtc-direct.pem')
  const made = await directCertificate(path)
  expect(await directCertificate(path)).toEqual(made)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace(/[A-Za-z]{6}/, 'BROKEN'))
  await expect(directCertificate(path)).rejects.toThrow(/webrtc-direct\.pem is damaged: remove it/)

  const member = await newMember()
  const listening = await newMember({ listen: webRtcDirectListen }, undefined, { certificate: made })
  await start(member, listening)
  expect(address(listening).toString()).toContain(`/certhash/${made.certhash}/`)
  expect((await member.connect(address(listening))).equals(listening.peerId)).toBe(true)
})
