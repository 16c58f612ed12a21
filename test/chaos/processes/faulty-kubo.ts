/** The kubo stand-in behind an HTTP server that may hang, be slow, fail, or say that it pinned what it did not. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import { startStandIn, type StandIn } from '../../bench/stand-in-process.ts'

export type KuboFault = 'none' | 'hangs' | 'slow' | 'fails' | 'lies'

export interface FaultyKubo {
  readonly port: number
  fault: KuboFault
  /** What it really has. */
  readonly pins: () => Promise<ReadonlySet<string>>
  readonly stop: () => Promise<void>
}

export async function startFaultyKubo (random: () => number): Promise<FaultyKubo> {
  const standIn = await startStandIn()
  let fault: KuboFault = 'none'
  let mended = Promise.withResolvers<void>()
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => { response.destroy() })
  })

  async function serve (incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://kubo')
    if (fault === 'hangs') await mended.promise
    if (fault === 'slow') await new Promise((resolve) => { setTimeout(resolve, 1_500 * random()) })
    if (fault === 'fails') answer(response, 500, { Message: 'the stand-in fails', Code: 0, Type: 'error' })
    else if (fault === 'lies' && url.pathname === '/api/v0/pin/add' && random() < 0.5) answer(response, 200, { Pins: url.searchParams.getAll('arg') })
    else forward(incoming, response, standIn)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    get fault () { return fault },
    set fault (next: KuboFault) {
      fault = next
      mended.resolve()
      mended = Promise.withResolvers<void>()
    },
    pins: async () => await pinsOf(standIn.port),
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await standIn.stop()
    }
  }
}

function answer (response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value) + '\n')
}

function forward (incoming: IncomingMessage, response: ServerResponse, { port }: StandIn): void {
  const onward = request({ host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 500, answered.headers)
    answered.pipe(response)
  })
  onward.on('error', () => { response.destroy() })
  incoming.pipe(onward)
}

async function pinsOf (port: number): Promise<ReadonlySet<string>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v0/pin/ls?stream=true`, { method: 'POST' })
  const lines = (await response.text()).split('\n').filter((line) => line !== '')
  return new Set(lines.map((line) => (JSON.parse(line) as { readonly Cid: string }).Cid))
}
