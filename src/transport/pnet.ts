/** The library's protector behind our factory; protector.ts says when it is used. */
import type { ProtectorFactory } from './psk.ts'
import { preSharedKey } from '@libp2p/pnet'
import { base16 } from 'multiformats/bases/base16'

/** `@libp2p/pnet`, which wants the secret as the text of a swarm key file. */
export const pnetProtector: ProtectorFactory = ({ secret, timeout = 5000 }) =>
  preSharedKey({ psk: new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${base16.baseEncode(secret)}\n`), timeout })
