/** The `peerstore` file: where known peers were last reached, one address a line (config.md §1). */
import type { Logger } from '../../src/component.ts'
import type { KnownPeer } from '../../src/transport/transport.ts'
import type { Multiaddr } from '@multiformats/multiaddr'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { errorText } from '../../src/component.ts'
import { isNamed, isRelayed, peerOf } from '../../src/transport/addresses.ts'

/** Most bytes of the file that are looked at. */
const limit = 16_777_216

/** The addresses of the file; no file is an empty one. Lines not starting with `/` are comments, bad ones are logged. */
export async function readPeerstore (path: string, log: Logger): Promise<readonly Multiaddr[]> {
  let text: string
  try {
    text = new TextDecoder().decode((await readFile(path)).subarray(0, limit))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  const addresses: Multiaddr[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.trim()
    if (!entry.startsWith('/')) continue
    try {
      const address = multiaddr(entry)
      if (peerOf(address) === undefined) throw new Error('no /p2p/<peer id> in it')
      addresses.push(address)
    } catch (error) {
      log.error('%s line %d is not an address of a peer: %s', path, index + 1, errorText(error))
    }
  }
  return addresses
}

/** Replaces the file in one step. Of a peer with DNS addresses only those are written; relayed ones are not. */
export async function writePeerstore (path: string, peers: readonly KnownPeer[]): Promise<void> {
  const lines = peers.flatMap(({ addresses }) => {
    const direct = addresses.filter((address) => !isRelayed(address))
    const named = direct.filter(isNamed)
    return (named.length > 0 ? named : direct).map(String)
  })
  const text = [...new Set(lines)].toSorted().map((line) => `${line}\n`).join('')
  const temporary = `${path}.new`
  await writeFile(temporary, text, { mode: 0o644 })
  await rename(temporary, path)
}
