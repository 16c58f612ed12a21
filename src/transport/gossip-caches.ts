/** Bounds for what @libp2p/gossipsub remembers of messages: it forgets by time only. */

/** Messages kept for members that missed them. */
const maxMessages = 50_000
const maxMessageBytes = 33_554_432
/** Ids of messages that are known; of too many the oldest are forgotten before their time. */
const maxSeen = 200_000

interface Kept { readonly message: { readonly data?: Uint8Array | undefined } }

export interface MessageCache {
  readonly msgs: Map<string, Kept>
  put: (id: { readonly msgId: Uint8Array, readonly msgIdStr: string }, message: Kept['message'], validated?: boolean) => boolean
  shift: () => void
}

export interface SeenCache {
  readonly entries: Map<string | number, unknown>
  put: (key: string | number, value: undefined) => boolean
}

/** Beyond the bound messages are passed on, but not kept for those that missed them. */
export function boundMessageCache (cache: MessageCache): void {
  const put = cache.put.bind(cache)
  const shift = cache.shift.bind(cache)
  let bytes = 0
  cache.put = (id, message, validated) => {
    const size = message.data?.byteLength ?? 0
    if (cache.msgs.size >= maxMessages || bytes + size > maxMessageBytes) return !cache.msgs.has(id.msgIdStr)
    const added = put(id, message, validated)
    if (added) bytes += size
    return added
  }
  cache.shift = () => {
    shift()
    bytes = 0
    for (const { message } of cache.msgs.values()) bytes += message.data?.byteLength ?? 0
  }
}

export function boundSeenCache (cache: SeenCache): void {
  const put = cache.put.bind(cache)
  cache.put = (key, value) => {
    const known = put(key, value)
    const [oldest] = cache.entries.keys()
    if (cache.entries.size > maxSeen && oldest !== undefined) cache.entries.delete(oldest)
    return known
  }
}
