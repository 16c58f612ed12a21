import { multiaddr } from '@multiformats/multiaddr'
import { expect, it } from 'vitest'
import { hiddenBy, isLocal, isLoopback, isQuic, isReachable, peerOf, withPeer, withoutPeer } from '../../src/transport/addresses.ts'

const id = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const all = (test: (address: ReturnType<typeof multiaddr>) => boolean, texts: readonly string[]): boolean[] => texts.map((text) => test(multiaddr(text)))

it('tells what is fit for a ping: names and global unicast, private ranges included', () => {
  const yes = ['/ip4/192.168.1.2/tcp/1', '/ip4/10.0.0.1/udp/1', '/ip4/8.8.8.8/tcp/1', '/dns4/example.com/tcp/1', '/dnsaddr/example.com', '/ip6/2001:db8::1/tcp/1', '/ip6/fc00::1/tcp/1']
  const no = ['/ip4/127.0.0.1/tcp/1', '/ip4/127.9.9.9/tcp/1', '/ip4/169.254.1.1/tcp/1', '/ip4/0.0.0.0/tcp/1', '/ip4/224.0.0.1/tcp/1', '/ip4/255.255.255.255/tcp/1', '/ip6/::1/tcp/1', '/ip6/::/tcp/1', '/ip6/fe80::1/tcp/1', '/ip6/ff02::1/tcp/1', '/ip6/::ffff:127.0.0.1/tcp/1', '/unix/tmp', `/p2p/${id}`]
  expect(all(isReachable, yes)).toEqual(yes.map(() => true))
  expect(all(isReachable, no)).toEqual(no.map(() => false))
})

it('tells the local network from the world, and loopback from both', () => {
  expect(all(isLocal, ['/ip4/127.0.0.1/tcp/1', '/ip4/172.31.0.1/tcp/1', '/ip4/100.64.0.1/tcp/1', '/ip6/fd00::1/tcp/1', '/dns4/localhost/tcp/1'])).toEqual([true, true, true, true, true])
  expect(all(isLocal, ['/ip4/172.32.0.1/tcp/1', '/ip4/9.9.9.9/tcp/1', '/ip6/2606::1/tcp/1', '/dns4/example.com/tcp/1'])).toEqual([false, false, false, false])
  expect(all(isLoopback, ['/ip4/127.0.0.1/tcp/1', '/ip6/::1/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip4/0.0.0.0/tcp/1'])).toEqual([true, true, false, false])
})

it('hides exact addresses and ranges', () => {
  const hidden = hiddenBy(['/ip4/1.2.3.4/tcp/9096', '/ip4/10.0.0.0/ipcidr/8', '/ip6/fc00::/ipcidr/7', '/ip4/192.168.129.0/ipcidr/17'].map((text) => multiaddr(text)))
  expect(all(hidden, ['/ip4/1.2.3.4/tcp/9096', `/ip4/1.2.3.4/tcp/9096/p2p/${id}`, '/ip4/10.200.0.1/tcp/5', '/ip6/fdff::1/tcp/5', '/ip4/192.168.255.1/tcp/1'])).toEqual([true, true, true, true, true])
  expect(all(hidden, ['/ip4/1.2.3.4/tcp/9097', '/ip4/11.0.0.1/tcp/5', '/ip6/fe00::1/tcp/5', '/ip4/192.168.1.1/tcp/1', '/dns4/example.com/tcp/1'])).toEqual([false, false, false, false, false])
})

it('finds and adds the peer', () => {
  const bare = multiaddr('/ip4/1.2.3.4/tcp/1')
  const peer = peerOf(multiaddr(`/ip4/1.2.3.4/tcp/1/p2p/${id}`))
  if (peer === undefined) throw new Error('no peer')
  expect(peerOf(bare)).toBeUndefined()
  expect(withPeer(withPeer(bare, peer), peer).toString()).toBe(`/ip4/1.2.3.4/tcp/1/p2p/${id}`)
  expect(withoutPeer(withPeer(bare, peer))).toBe(bare.toString())
  expect(all(isQuic, ['/ip4/1.2.3.4/udp/1/quic', '/ip4/1.2.3.4/udp/1/quic-v1', '/ip4/1.2.3.4/tcp/1/ws'])).toEqual([true, true, false])
})
