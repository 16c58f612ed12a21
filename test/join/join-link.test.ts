/** Join links: what is written is read; anything else is refused by name, and the secret stays out of errors. */
import { multiaddr } from '@multiformats/multiaddr'
import * as fc from 'fast-check'
import { base64url } from 'multiformats/bases/base64'
import { describe, expect, it } from 'vitest'
import { decodeJoinLink, encodeJoinFragment, InvalidJoinLinkError } from '../../src/join/join-link.ts'
import type { JoinLink } from '../../src/join/join-link.ts'
import { testPeer } from '../contract/values.ts'

const secret = 'ab'.repeat(32)
const link: JoinLink = { clusterName: 'my cluster', secret, addresses: [multiaddr(`/dns4/node.example/tcp/443/tls/ws/p2p/${testPeer(1).toString()}`)], role: 'reader', trustedPeers: [testPeer(1), testPeer(2)], allowLightPeers: true }
const plain = (found: JoinLink | undefined): unknown => found === undefined ? undefined : { ...found, addresses: found.addresses.map(String), trustedPeers: found.trustedPeers === '*' ? '*' : found.trustedPeers.map(String) }
const fragmentOf = (fields: unknown): string => `join=${base64url.baseEncode(new TextEncoder().encode(JSON.stringify(fields)))}`
const whole = { v: 1, n: 'c', s: secret, a: [], r: 'member' }

describe('a join link', () => {
  it('says what it was made of, as a whole address, a fragment with or without #', () => {
    const fragment = encodeJoinFragment(link)
    for (const text of [fragment, `#${fragment}`, `https://node.example/webui/#${fragment}`]) expect(plain(decodeJoinLink(text))).toEqual(plain(link))
    const bare = { ...link, secret: undefined, trustedPeers: '*', allowLightPeers: false } as const
    expect(plain(decodeJoinLink(encodeJoinFragment(bare)))).toEqual(plain(bare))
  })

  it('is not every fragment', () => {
    for (const text of ['', '#', '#/pins', 'https://node.example/']) expect(decodeJoinLink(text)).toBeUndefined()
  })

  it('names what is wrong, never the secret', () => {
    const cases: ReadonlyArray<readonly [object, string]> = [
      [{ ...whole, v: 2 }, 'version'], [{ ...whole, n: '' }, 'cluster'], [{ ...whole, s: `${secret}zz` }, 'secret'], [{ ...whole, r: 'boss' }, 'role'], [{ ...whole, a: 'x' }, 'addresses'],
      [{ ...whole, a: ['/ip4/127.0.0.1/tcp/1/ws'] }, 'addresses'], [{ ...whole, a: Array.from({ length: 65 }, () => link.addresses[0]?.toString()) }, 'addresses'], [{ ...whole, t: ['nobody'] }, 'trusted peers']
    ]
    for (const [fields, word] of cases) {
      let error: unknown
      try { decodeJoinLink(fragmentOf(fields)) } catch (caught) { error = caught }
      expect(error, word).toBeInstanceOf(InvalidJoinLinkError)
      expect((error as Error).message).toContain(word)
      expect((error as Error).message).not.toContain(secret)
    }
    expect(() => decodeJoinLink(`join=${'A'.repeat(20_000)}`)).toThrow('longer')
  })

  it('made of anything else is refused and nothing more', () => {
    const refusedOrRead = (text: string): void => {
      try { decodeJoinLink(text) } catch (error) { expect(error).toBeInstanceOf(InvalidJoinLinkError) }
    }
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => { refusedOrRead(`join=${text}`) }))
    fc.assert(fc.property(fc.jsonValue(), (value) => { refusedOrRead(fragmentOf(value)) }))
    fc.assert(fc.property(fc.record({ v: fc.constant(1), n: fc.jsonValue(), s: fc.jsonValue(), a: fc.jsonValue(), r: fc.constantFrom('member', 'reader', 'x'), t: fc.jsonValue() }), (value) => { refusedOrRead(fragmentOf(value)) }))
  })
})
