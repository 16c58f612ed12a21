/** Identity and members. */
import { badRequest } from '../errors.ts'
import { peerIdOf } from '../json/ids.ts'
import { asObject, parseJson } from '../json/json.ts'
import { peerInfoToJson } from '../json/peer.ts'
import { peerParameter } from '../query.ts'
import { json, noContent } from '../response.ts'
import { linesOf, listing } from '../stream.ts'
import type { Json } from '../json/json.ts'
import type { ApiRequest } from '../response.ts'
import type { Handler, Route } from './route.ts'

const maxBody = 65_536

async function bodyText ({ body }: ApiRequest): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxBody) throw badRequest('request body too large')
  }
  return text + decoder.decode()
}

const add: Handler = async ({ cluster, request }) => {
  const text = await bodyText(request)
  let value: Json
  try { value = parseJson(text) } catch (error) { throw badRequest('error decoding request body', error) }
  const peer = (() => { try { return peerIdOf(asObject(value, 'body')['peer_id'], 'peer_id') } catch (error) { throw badRequest('error decoding peer_id', error) } })()
  return json(peerInfoToJson(await cluster.peerAdd(peer, request)))
}

const remove: Handler = async ({ cluster, request, param }) => {
  await cluster.peerRemove(peerParameter(param('peer')), request)
  return noContent()
}

export const peerRoutes: readonly Route[] = [
  ['GET', '/id', async ({ cluster, request }) => json(peerInfoToJson(await cluster.id(request)))],
  ['GET', '/version', ({ cluster }) => json({ version: cluster.version() })],
  ['GET', '/peers', async ({ cluster, request }) => await listing(request, linesOf(cluster.peers(request), peerInfoToJson))],
  ['POST', '/peers', add],
  ['DELETE', '/peers/:peer', remove]
]
