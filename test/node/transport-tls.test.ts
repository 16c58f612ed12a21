/** WebSocket with TLS: by certificate files, and behind a proxy that has them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, it, onTestFinished, vi } from 'vitest'
import { stopAll } from '../../src/component.ts'
import { newMember } from './network.ts'

function certificate (): { readonly cert: string, readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'pinswarm-tls-'))
  onTestFinished(() => { rmSync(folder, { recursive: true }) })
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem'), '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' })
  return { cert: readFileSync(join(folder, 'cert.pem'), 'utf8'), key: readFileSync(join(folder, 'key.pem'), 'utf8') }
}

it.each(['/tls/ws', '/wss'])('listens on %s with the given certificate, and upgrades to WebSocket there', async (way) => {
  const tls = certificate()
  const member = await newMember({ listen: [multiaddr(`/ip4/127.0.0.1/tcp/0${way}`)] }, undefined, { tls })
  onTestFinished(() => stopAll([member]))
  await member.start()
  const [there] = member.addresses()
  expect(there?.toString()).toContain('/tls/ws/')
  const port = Number(there?.getComponents().find(({ name }) => name === 'tcp')?.value)
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: tls.cert }, () => {
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
    })
    socket.once('data', (data) => {
      resolve(data.toString('latin1'))
      socket.destroy()
    })
    socket.once('error', reject)
  })
  expect(answer).toMatch(/^HTTP\/1\.1 101 /)
})

it('behind a proxy: what is announced is what it says of itself, and what members learn of it', async () => {
  const proxied = multiaddr('/dns4/cluster.example/tcp/443/tls/ws')
  const announcing = await newMember({ listen: [multiaddr('/ip4/127.0.0.1/tcp/0/ws')], announce: [proxied] })
  const member = await newMember()
  onTestFinished(() => stopAll([announcing, member]))
  await announcing.start()
  await member.start()
  const expected = `${proxied.toString()}/p2p/${announcing.peerId.toString()}`
  expect(announcing.addresses().map(String)).toEqual([expected])
  await announcing.connect(member.addresses()[0] ?? proxied)
  await vi.waitFor(async () => { expect((await member.addressesOf([announcing.peerId])).map(String)).toContain(expected) }, { timeout: 10_000 })
})
