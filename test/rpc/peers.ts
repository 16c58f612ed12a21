/** Two members of a network in memory, and streams of bare bytes between them. */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { fromHex, toHex } from 'multiformats/bytes'
import { onTestFinished } from 'vitest'
import { rpcProtocol } from '../../src/cluster/types.ts'
import { silentLogger } from '../../src/component.ts'
import { createRpcClient } from '../../src/rpc/client.ts'
import { serveRpc, type RpcServerOptions } from '../../src/rpc/server.ts'
import { createMemoryNetwork, type MemoryNetworkOptions } from '../../src/transport/memory.ts'
import type { RpcClient, RpcHandlers } from '../../src/rpc/rpc.ts'
import type { ByteStream, Transport } from '../../src/transport/transport.ts'

export interface Pair { readonly caller: Transport, readonly callee: Transport, readonly client: RpcClient }

const peerOf = async (seed: number) => peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed)))

/** A caller with a client, and a callee that does not serve yet. */
export async function openPair (options: MemoryNetworkOptions = {}, local: RpcHandlers = {}): Promise<Pair> {
  const network = createMemoryNetwork(options)
  const [caller, callee] = [network.join(await peerOf(1)), network.join(await peerOf(2))]
  for (const member of [caller, callee]) await member.start()
  onTestFinished(async () => { await Promise.all([caller.stop(), callee.stop()]) })
  return { caller, callee, client: createRpcClient({ transport: caller, local }) }
}

export interface Served extends Pair { readonly stop: () => Promise<void> }

/** A caller, and a callee that serves `handlers`; a patient one lets everything pass. */
export async function openServed (handlers: RpcHandlers, { trusted = true, patient = false, network, ...options }: RpcServerOptions & { readonly trusted?: boolean, readonly patient?: boolean, readonly network?: MemoryNetworkOptions } = {}): Promise<Served> {
  const pair = await openPair(network)
  const { callee } = pair
  const transport = patient ? { handle: callee.handle.bind(callee), unhandle: callee.unhandle.bind(callee), penalize: () => {} } : callee
  const stop = await serveRpc({ transport, handlers, trust: { isTrusted: () => trusted }, logger: silentLogger }, options)
  onTestFinished(stop)
  return { ...pair, stop }
}

/** Everything until the remote closes its side. */
export async function readAll (stream: ByteStream): Promise<string> {
  let hex = ''
  for await (const bytes of stream.source) hex += toHex(bytes)
  return hex
}

/** Sends bytes, and returns all that comes back. */
export async function exchange ({ caller, callee }: Pair, hex: string, { halfClose }: { readonly halfClose: boolean }): Promise<string> {
  const stream = await caller.openStream(callee.peerId, rpcProtocol)
  await stream.write(fromHex(hex))
  if (halfClose) await stream.closeWrite()
  const answer = await readAll(stream)
  if (!halfClose) await stream.closeWrite()
  return answer
}

export interface Recorded { sent: string, events: string[] }

/** A callee that answers every call with these bytes once it has got `length` bytes, or the end when that is not given; records what it was sent. */
export async function replay ({ callee }: Pair, answer: string, length?: number): Promise<Recorded> {
  const recorded: Recorded = { sent: '', events: [] }
  const serve = async (stream: ByteStream): Promise<void> => {
    let answered = false
    const respond = async (): Promise<void> => {
      answered = true
      recorded.events.push('answer')
      await stream.write(fromHex(answer))
      await stream.closeWrite()
    }
    for await (const bytes of stream.source) {
      recorded.sent += toHex(bytes)
      if (!answered && length !== undefined && recorded.sent.length >= length * 2) await respond()
    }
    recorded.events.push('end')
    if (!answered) await respond()
  }
  await callee.handle(rpcProtocol, (stream) => { serve(stream).catch(() => { recorded.events.push('reset') }) })
  return recorded
}
