/** The calls of the REST API that the suite makes. Go and ours answer alike. */

/** `absent`: there is no such pin. `unknown`: no answer, or one that says nothing. */
export type Said = 'done' | 'absent' | 'unknown'

const patience = 30_000

async function call (base: string, method: string, path: string): Promise<Response | undefined> {
  try { return await fetch(new URL(path, base), { method, signal: AbortSignal.timeout(patience) }) } catch { return undefined }
}

const saidBy = async (response: Response | undefined): Promise<Said> => {
  if (response === undefined) return 'unknown'
  const text = await response.text().catch(() => undefined)
  if (text === undefined) return 'unknown'
  return response.status === 200 ? 'done' : response.status === 404 ? 'absent' : 'unknown'
}

export const pin = async (base: string, cid: string, name: string): Promise<Said> => await saidBy(await call(base, 'POST', `/pins/${cid}?name=${encodeURIComponent(name)}&meta-value=${encodeURIComponent(name)}`))
export const unpin = async (base: string, cid: string): Promise<Said> => await saidBy(await call(base, 'DELETE', `/pins/${cid}`))

/** Name of the pin; `absent` and `unknown` as above. */
export async function nameOf (base: string, cid: string): Promise<{ readonly said: 'done', readonly name: string } | { readonly said: 'absent' | 'unknown' }> {
  const response = await call(base, 'GET', `/allocations/${cid}`)
  if (response?.status === 404) return { said: 'absent' }
  if (response?.status !== 200) return { said: 'unknown' }
  const body = await response.json().catch(() => undefined) as { readonly name?: unknown } | undefined
  return typeof body?.name === 'string' ? { said: 'done', name: body.name } : { said: 'unknown' }
}

export interface Listed { readonly cid: string, readonly name: string, readonly text: string }

/** The whole pinset; undefined where it cannot be had. */
export async function pinset (base: string): Promise<readonly Listed[] | undefined> {
  const response = await call(base, 'GET', '/allocations?filter=all')
  if (response?.status !== 200) return undefined
  const body = await response.text().catch(() => undefined)
  if (body === undefined) return undefined
  return body.split('\n').filter((line) => line !== '').map(listed).toSorted((one, other) => one.cid < other.cid ? -1 : 1)
}

function listed (line: string): Listed {
  const { cid, name, metadata, allocations, type, mode, timestamp, replication_factor_min: min, replication_factor_max: max } = JSON.parse(line) as Readonly<Record<string, unknown>>
  if (typeof cid !== 'string' || typeof name !== 'string') throw new Error(`no pin: ${line}`)
  return { cid, name, text: JSON.stringify([cid, name, metadata, allocations, type, mode, timestamp, min, max]) }
}

/** Its peer ID; undefined while it does not answer. */
export async function idOf (base: string): Promise<string | undefined> {
  const response = await call(base, 'GET', '/id')
  const body = await response?.json().catch(() => undefined) as { readonly id?: unknown } | undefined
  return typeof body?.id === 'string' ? body.id : undefined
}
