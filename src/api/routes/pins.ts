/** The pinset and the status of what is in it. */
import { errorText } from '../../component.ts'
import { pinToJson } from '../../pin/pin-json.ts'
import { stringifyGo } from '../../pin/go-json.ts'
import { decodeCid } from '../cid.ts'
import { badRequest } from '../errors.ts'
import { globalPinInfoToJson } from '../json/status.ts'
import { cidParameter, cidsParameter, isLocal, pinOptions, pinTypesFilter, statusFilter } from '../query.ts'
import { json, jsonText } from '../response.ts'
import { chunksOf, linesOf, listing, textChunksOf } from '../stream.ts'
import { merged } from '../merge.ts'
import type { GlobalPinInfo } from '../../pin/pin-info.ts'
import type { Pin } from '../../pin/pin.ts'
import type { CID } from 'multiformats/cid'
import type { Handler, Route, RouteContext } from './route.ts'

const concurrentStatus = 16

const pinAnswer = (pin: Pin) => jsonText(stringifyGo(pinToJson(pin)))
const statusAnswer = (info: GlobalPinInfo) => json(globalPinInfoToJson(info))
const statusListing = async ({ request }: RouteContext, items: AsyncIterable<GlobalPinInfo>) => await listing(request, linesOf(items, globalPinInfoToJson))
const scope = ({ request, query }: RouteContext) => ({ signal: request.signal, local: isLocal(query) })

/** A CID alone, or a path that the IPFS has to resolve. */
function target (param: RouteContext['param']): { readonly cid: CID } | { readonly path: string } {
  const namespace = param('namespace')
  const path = `/${namespace}/${param('path')}`
  const [first = '', ...rest] = param('path').split('/')
  if (namespace === 'ipns') return { path }
  try {
    const cid = decodeCid(first)
    return rest.length === 0 ? { cid } : { path }
  } catch (cause) {
    throw badRequest(`error parsing path: invalid path ${JSON.stringify(path)}: ${errorText(cause)}`, cause)
  }
}

const pin: Handler = async ({ cluster, clock, request, query, param }) => pinAnswer(await cluster.pin(cidParameter(param('cid')), pinOptions(query, clock.now()), request))
const unpin: Handler = async ({ cluster, request, param }) => pinAnswer(await cluster.unpin(cidParameter(param('cid')), request))

const pinPath: Handler = async ({ cluster, clock, request, query, param }) => {
  const what = target(param)
  const options = pinOptions(query, clock.now())
  return pinAnswer('cid' in what ? await cluster.pin(what.cid, options, request) : await cluster.pinPath(what.path, options, request))
}

const unpinPath: Handler = async ({ cluster, request, param }) => {
  const what = target(param)
  return pinAnswer('cid' in what ? await cluster.unpin(what.cid, request) : await cluster.unpinPath(what.path, request))
}

const statusAll: Handler = async (context) => {
  const { cluster, query } = context
  const cids = cidsParameter(query)
  if (cids.length > 0) return await statusListing(context, merged(cids, async (cid) => await cluster.status(cid, scope(context)), concurrentStatus))
  return await listing(context.request, textChunksOf(cluster.statusLines(statusFilter(query), scope(context))))
}

export const pinRoutes: readonly Route[] = [
  ['GET', '/allocations', async ({ cluster, request, query }) => await listing(request, chunksOf(cluster.pinLines({ types: pinTypesFilter(query), signal: request.signal })))],
  ['GET', '/allocations/:cid', async ({ cluster, request, param }) => pinAnswer(await cluster.pinGet(cidParameter(param('cid')), request))],
  ['GET', '/pins', statusAll],
  ['POST', '/pins/recover', async (context) => await statusListing(context, context.cluster.recoverAll(scope(context)))],
  ['POST', '/pins/:cid/recover', async (context) => statusAnswer(await context.cluster.recover(cidParameter(context.param('cid')), scope(context)))],
  ['GET', '/pins/:cid', async (context) => statusAnswer(await context.cluster.status(cidParameter(context.param('cid')), scope(context)))],
  ['POST', '/pins/:cid', pin],
  ['DELETE', '/pins/:cid', unpin],
  ['POST', '/pins/:namespace{(?:ipfs|ipns|ipld)}/:path{.+}', pinPath],
  ['DELETE', '/pins/:namespace{(?:ipfs|ipns|ipld)}/:path{.+}', unpinPath]
]
