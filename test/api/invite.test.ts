/** `GET /invite`: what the link says, and to whom it says the secret. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { multiaddr } from '@multiformats/multiaddr'
import { createApi } from '../../src/api/api.ts'
import { ClusterClient, localTransport } from '../../src/api/client.ts'
import { inviteFromJson } from '../../src/api/json/invite.ts'
import { browserAddresses } from '../../src/join/browser-addresses.ts'
import { decodeJoinLink } from '../../src/join/join-link.ts'
import { alpha, beta, MemoryCluster } from './memory-cluster.ts'
import type { ApiOptions } from '../../src/api/api.ts'
import type { Json } from '../../src/api/json/json.ts'

const secret = 'ab'.repeat(32)
const invitation = { clusterName: 'photos', secret, addresses: [multiaddr(`/ip4/127.0.0.1/tcp/9098/ws/p2p/${alpha.toString()}`)], trustedPeers: [alpha], allowLightPeers: true }

interface Asked { readonly headers?: Readonly<Record<string, string>>, readonly remoteAddress?: string, readonly query?: string, readonly options?: ApiOptions }
async function ask ({ headers = { host: '127.0.0.1:9094' }, remoteAddress, query = '', options = {} }: Asked) {
  const api = createApi(new MemoryCluster(), { invitation: () => invitation, ...options })
  const answer = await api.fetch({ method: 'GET', url: `http://localhost/invite${query}`, headers: new Headers(headers), body: null, remoteAddress, signal: new AbortController().signal })
  const text = await answer.response.text()
  return { status: answer.status, header: (name: string) => answer.response.headers.get(name), text, hasSecret: text.includes('"has_secret":true'), link: answer.status === 200 ? decodeJoinLink((JSON.parse(text) as { fragment: string }).fragment) : undefined }
}

describe('a join link', () => {
  test('says what the peer says, in the role that is asked for', async () => {
    const { link, header } = await ask({})
    expect(link).toMatchObject({ clusterName: 'photos', secret, role: 'member', allowLightPeers: true })
    expect(link?.addresses.map(String)).toEqual(invitation.addresses.map(String))
    expect(link?.trustedPeers.toString()).toBe(alpha.toString())
    expect(header('cache-control')).toBe('no-store')
    expect((await ask({ query: '?role=reader' })).link).toMatchObject({ role: 'reader', secret })
    expect((await ask({ options: { invitation: () => ({ ...invitation, trustedPeers: '*' }) } })).link?.trustedPeers).toBe('*')
  })

  test('is asked for by the client', async () => {
    const client = new ClusterClient({ transport: localTransport(createApi(new MemoryCluster(), { invitation: () => invitation })) })
    const found = await client.invite({ role: 'reader' })
    expect(found).toMatchObject({ hasSecret: true, role: 'reader', clusterName: 'photos' })
    expect(found.addresses.map(String)).toEqual(invitation.addresses.map(String))
    expect(decodeJoinLink(found.fragment)?.secret).toBe(secret)
    expect(await client.invite({ secret: false })).toMatchObject({ hasSecret: false })
    const without = new ClusterClient({ transport: localTransport(createApi(new MemoryCluster())) })
    await expect(without.invite()).rejects.toMatchObject({ code: 404 })
  })

  test('is refused for what is unknown, and where there is nothing to join', async () => {
    expect(await ask({ query: '?role=king' })).toMatchObject({ status: 400 })
    expect(await ask({ query: '?secret=maybe' })).toMatchObject({ status: 400 })
    expect(await ask({ options: { invitation: () => ({ ...invitation, secret: '' }) } })).toMatchObject({ status: 409, text: expect.stringContaining('cluster.secret is empty') as string })
    expect(await ask({ options: { invitation: () => ({ ...invitation, addresses: [] }) } })).toMatchObject({ status: 409, text: expect.stringContaining('listen_multiaddress') as string })
  })

  test('any other answer to a client is an error', () => {
    for (const value of [null, {}, { fragment: 'x', role: 'member' }, { fragment: 'join=x', role: 'king' }] as const) expect(() => inviteFromJson(value)).toThrow()
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      try { inviteFromJson(value as Json) } catch (error) { expect(['DecodeError', 'InvalidValueError']).toContain((error as Error).name) }
    }))
  })
})

describe('the secret', () => {
  const told: Readonly<Record<string, Asked>> = {
    'to a program on this machine': { headers: { host: '127.0.0.1:9094' }, remoteAddress: '127.0.0.1' },
    'over IPv6': { headers: { host: '[::1]:9094' }, remoteAddress: '::1' },
    'over IPv4 inside IPv6': { headers: { host: 'localhost:9094' }, remoteAddress: '::ffff:127.0.0.1' },
    'to a program over a Unix socket': { headers: { host: 'localhost' } },
    "to the peer's own page": { headers: { host: 'localhost:9094', origin: 'http://localhost:9094', 'sec-fetch-site': 'same-origin' }, remoteAddress: '127.0.0.1' },
    "to the peer's own page over TLS": { headers: { host: 'localhost', origin: 'https://localhost' }, remoteAddress: '127.0.0.1' },
    'as typed into the address bar': { headers: { host: '127.0.0.1:9094', 'sec-fetch-site': 'none' }, remoteAddress: '127.0.0.1' }
  }
  test.each(Object.entries(told))('is told %s', async (_name, asked) => {
    expect((await ask(asked)).link?.secret).toBe(secret)
    const without = await ask({ ...asked, query: '?secret=false' })
    expect([without.hasSecret, without.link?.secret]).toEqual([false, undefined])
  })

  const kept: Readonly<Record<string, Asked>> = {
    'pages of another origin': { headers: { host: '127.0.0.1:9094', origin: 'https://evil.example' }, remoteAddress: '127.0.0.1' },
    'pages of another port': { headers: { host: 'localhost:9094', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }, remoteAddress: '127.0.0.1' },
    'sandboxed pages': { headers: { host: '127.0.0.1:9094', origin: 'null' }, remoteAddress: '127.0.0.1' },
    'requests of another site without an origin': { headers: { host: '127.0.0.1:9094', 'sec-fetch-site': 'cross-site' }, remoteAddress: '127.0.0.1' },
    'names that were pointed here': { headers: { host: 'evil.example:9094', origin: 'http://evil.example:9094', 'sec-fetch-site': 'same-origin' }, remoteAddress: '127.0.0.1' },
    'names that look like this machine': { headers: { host: 'localhost.evil.example' }, remoteAddress: '127.0.0.1' },
    'names that begin like an address': { headers: { host: '127.0.0.1.evil.example:9094' }, remoteAddress: '127.0.0.1' },
    'other machines': { headers: { host: '192.168.1.5:9094' }, remoteAddress: '192.168.1.77' },
    'other machines that say they are this one': { headers: { host: '127.0.0.1:9094' }, remoteAddress: '10.0.0.9' },
    'whoever comes through a proxy': { headers: { host: '127.0.0.1:9094', 'x-forwarded-for': '8.8.8.8' }, remoteAddress: '127.0.0.1' }
  }
  test.each(Object.entries(kept))('is kept from %s', async (_name, asked) => {
    const { status, hasSecret, link, text } = await ask(asked)
    expect([status, hasSecret, link?.secret, text.includes(secret)]).toEqual([200, false, undefined, false])
  })

  test('is told to who has logged in, from anywhere, and to nobody else then', async () => {
    const options = { credentials: { ana: 'pass' } }
    const far: Asked = { options, remoteAddress: '10.0.0.9', headers: { host: 'cluster.example', origin: 'https://pages.example' } }
    expect((await ask({ ...far, headers: { ...far.headers, authorization: `Basic ${btoa('ana:pass')}` } })).link?.secret).toBe(secret)
    for (const authorization of [undefined, `Basic ${btoa('ana:wrong')}`, 'Bearer x']) {
      const refused = await ask({ options, remoteAddress: '127.0.0.1', headers: { host: '127.0.0.1:9094', ...authorization === undefined ? {} : { authorization } } })
      expect([refused.status, refused.text.includes('join=')]).toEqual([401, false])
    }
  })
})

test('addresses are those a browser can dial, best first', () => {
  const hash = 'uEiCXtSrrFwRNQLtH1nX9CRPPgm3Zp22IozyhaHSwMbtI5g'
  const peer = `/p2p/${alpha.toString()}`
  const listed = [
    `/ip4/127.0.0.1/tcp/1${peer}`, `/ip4/127.0.0.1/tcp/2/ws${peer}`, `/ip4/127.0.0.1/udp/3/webrtc-direct/certhash/${hash}${peer}`, `/ip4/10.0.0.5/udp/3/webrtc-direct/certhash/${hash}${peer}`,
    `/ip4/10.0.0.5/tcp/2/ws${peer}`, `/ip4/0.0.0.0/tcp/2/ws${peer}`, `/ip6/::/tcp/2/ws${peer}`, `/ip4/10.0.0.5/tcp/0/ws${peer}`, `/ip4/10.0.0.5/udp/3/webrtc-direct${peer}`, `/ip6/fe80::1/tcp/2/ws${peer}`,
    `/ip4/10.0.0.5/tcp/2/ws/p2p/${beta.toString()}/p2p-circuit${peer}`, `/dns4/cluster.example/tcp/443/tls/ws${peer}`, `/ip4/10.0.0.5/tcp/2/ws${peer}`
  ].map((text) => multiaddr(text))
  expect(browserAddresses(listed, [multiaddr('/dns4/cluster.example/tcp/443/tls/ws')]).map(String)).toEqual([
    `/dns4/cluster.example/tcp/443/tls/ws${peer}`, `/ip4/10.0.0.5/tcp/2/ws${peer}`, `/ip4/10.0.0.5/udp/3/webrtc-direct/certhash/${hash}${peer}`,
    `/ip4/127.0.0.1/tcp/2/ws${peer}`, `/ip4/127.0.0.1/udp/3/webrtc-direct/certhash/${hash}${peer}`
  ])
})
