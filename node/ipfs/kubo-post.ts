/** Posts to kubo over Node's own HTTP: kept-alive connections, and no time limits of its own (`fetch` gives up after 5 minutes without an answer; unpinning may take hours). */
import { Agent, request as httpRequest } from 'node:http'
import { Agent as SecureAgent, request as httpsRequest } from 'node:https'
import type { KuboPost, KuboRequest } from '../../src/ipfs/kubo-http.ts'
import type { IncomingMessage } from 'node:http'

export interface KuboPoster {
  readonly post: KuboPost
  /** Ends idle connections. */
  readonly close: () => void
}

/** One pool of connections. */
export function nodeKuboPost (): KuboPoster {
  const settings = { keepAlive: true, timeout: 0, maxSockets: 64 }
  const agent = new Agent(settings)
  const secureAgent = new SecureAgent(settings)
  const attempt = async (url: string, { body, contentType, signal }: KuboRequest, again: boolean): Promise<IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const secure = url.startsWith('https:')
    const send = secure ? httpsRequest : httpRequest
    const request = send(url, {
      method: 'POST', signal, agent: secure ? secureAgent : agent,
      headers: { 'Content-Length': body?.length ?? 0, ...(contentType === undefined ? {} : { 'Content-Type': contentType }) }
    }, resolve)
    request.on('error', (error: NodeJS.ErrnoException) => {
      // A kept connection that kubo had closed (it was restarted) says nothing about kubo now.
      if (again && request.reusedSocket && error.code === 'ECONNRESET') resolve(attempt(url, { body, contentType, signal }, false))
      else reject(error)
    })
    request.end(body)
    return await promise
  }
  return {
    post: async (url, request) => {
      request.signal.throwIfAborted()
      const response = await attempt(url, request, true)
      return { status: response.statusCode ?? 0, body: plain(response) }
    },
    close: () => { agent.destroy(); secureAgent.destroy() }
  }
}

/** Buffers as what they are underneath: the core compares and hands on Uint8Arrays. */
async function * plain (response: IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const chunk of response as AsyncIterable<Buffer>) yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
