/** Who gets in by webrtc-direct, where no protector guards: only who proves the secret, whichever side dials. */
import type { Libp2pTransport } from '../../src/transport/libp2p.ts'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTCDirect } from '@libp2p/webrtc'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { expect, it, onTestFinished, vi } from 'vitest'
import { directCertificate } from '../../node/transport/direct-certificate.ts'
import { stopAll } from '../../src/component.ts'
import { newMember, webRtcDirectListen } from './network.ts'

const otherSecret = 'fedcba9876543210'.repeat(4)
const address = (member: Libp2pTransport) => member.addresses()[0] ?? multiaddr('/ip4/127.0.0.1/tcp/1')

async function start (...members: Libp2pTransport[]): Promise<void> {
  onTestFinished(() => stopAll(members))
  for (const member of members) await member.start()
}

/** A libp2p as everybody has it: no secret, no proof. */
async function stranger (listen: string[] = []) {
  const node = await createLibp2p({
    addresses: { listen }, transports: [webRTCDirect({ rtcConfiguration: { iceServers: [] } })], connectionEncrypters: [noise()], streamMuxers: [yamux()],
    services: { identify: identify(), ping: ping(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) }
  })
  onTestFinished(async () => { await node.stop() })
  return node
}

it('lets a member in, and refuses another secret at once, by name, in both directions', async () => {
  const [member, listening, wrong] = [await newMember(), await newMember({ listen: webRtcDirectListen }), await newMember({ listen: webRtcDirectListen, secret: otherSecret })]
  await start(member, listening, wrong)
  expect((await member.connect(address(listening))).equals(listening.peerId)).toBe(true)
  const before = Date.now()
  await expect(wrong.connect(address(listening), { signal: AbortSignal.timeout(10_000) })).rejects.toMatchObject({ name: 'DifferentSecretError' })
  await expect(member.connect(address(wrong), { signal: AbortSignal.timeout(10_000) })).rejects.toMatchObject({ name: 'DifferentSecretError' })
  expect(Date.now() - before).toBeLessThan(8_000)
  expect(listening.connectedPeers().map(String)).toEqual([member.peerId.toString()])
  expect(wrong.connectedPeers()).toEqual([])
})

it('an unmodified libp2p that dials gets no protocol, no pubsub and no peer list', async () => {
  const listening = await newMember({ listen: webRtcDirectListen })
  await start(listening)
  listening.pubsub.subscribe('topic', () => {})
  await listening.handle('/test/1.0.0', () => { throw new Error('a stranger got in') })
  const outsider = await stranger()
  await outsider.dial(address(listening), { signal: AbortSignal.timeout(8_000) }).catch(() => {})
  for (const protocol of ['/test/1.0.0', '/ipfs/id/1.0.0', '/ipfs/ping/1.0.0', '/meshsub/1.1.0']) {
    await expect(outsider.dialProtocol(address(listening), protocol, { signal: AbortSignal.timeout(3_000) })).rejects.toThrow()
  }
  expect((await outsider.peerStore.all()).flatMap(({ protocols }) => protocols)).toEqual([])
  expect(outsider.services.pubsub.getPeers()).toEqual([])
  await vi.waitFor(() => { expect(listening.node.getConnections()).toEqual([]) })
})

it('a member that dials an evil node refuses it before any protocol', async () => {
  const evil = await stranger(['/ip4/127.0.0.1/udp/0/webrtc-direct'])
  const asked: string[] = []
  for (const protocol of ['/test/1.0.0', '/ipfscluster/1.0/rpc']) await evil.handle(protocol, () => { asked.push(protocol) })
  const member = await newMember()
  await start(member)
  const [there] = evil.getMultiaddrs()
  if (there === undefined) throw new Error('no address')
  await expect(member.connect(there, { signal: AbortSignal.timeout(10_000) })).rejects.toThrow()
  await expect(member.openStream(evil.peerId, '/test/1.0.0', { signal: AbortSignal.timeout(5_000) })).rejects.toThrow()
  expect(member.connectedPeers()).toEqual([])
  expect(member.node.getConnections()).toEqual([])
  expect(asked).toEqual([])
})

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
