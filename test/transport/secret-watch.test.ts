import { multiaddr } from '@multiformats/multiaddr'
import { expect, it } from 'vitest'
import { systemClock, type Logger } from '../../src/component.ts'
import { SecretWatch } from '../../src/transport/secret-watch.ts'

const minute = 60_000

function setUp () {
  let now = 0
  const lines: string[] = []
  const log: Logger = { debug: () => {}, info: () => {}, error: () => {}, warn: (line) => { lines.push(line) } }
  const watch = new SecretWatch({ ...systemClock, now: () => now }, log)
  return { watch, lines, advance: (ms: number) => { now += ms } }
}

it('pauses an address longer each time, up to half an hour, and forgets it after a success', () => {
  const { watch, advance } = setUp()
  const address = multiaddr('/ip4/1.2.3.4/tcp/9096')
  for (const minutes of [1, 2, 4, 8, 16, 30, 30]) {
    watch.report(address, 'outbound')
    advance(minutes * minute - 1)
    expect(watch.isPaused(multiaddr(`${address.toString()}/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5`))).toBe(true)
    advance(1)
    expect(watch.isPaused(address)).toBe(false)
  }
  watch.report(address, 'outbound')
  watch.forget(address)
  expect(watch.isPaused(address)).toBe(false)
  watch.report(address, 'outbound')
  advance(minute)
  expect(watch.isPaused(address)).toBe(false)
})

it('names a caller once in ten minutes, whatever port it calls from, and does not pause it', () => {
  const { watch, lines, advance } = setUp()
  for (let port = 1; port <= 50; port++) watch.report(multiaddr(`/ip4/1.2.3.4/tcp/${port}`), 'inbound')
  watch.report(multiaddr('/ip4/1.2.3.5/tcp/1'), 'inbound')
  expect(lines).toEqual(['1.2.3.4', '1.2.3.5'].map((host) => `connection from /ip4/${host}/tcp/1 refused: different cluster secret?`))
  expect(watch.isPaused(multiaddr('/ip4/1.2.3.4/tcp/1'))).toBe(false)
  advance(10 * minute)
  watch.report(multiaddr('/ip4/1.2.3.4/tcp/99'), 'inbound')
  expect(lines.length).toBe(3)
})
