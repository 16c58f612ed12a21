/**
 * How the replica lies in the store. Our own layout: only blocks, keys and ids travel, so it is free.
 *
 * <ns>/format              store and view version, JSON
 * <ns>/state               heads and counters, JSON
 * <ns>/b<block id>         block bytes; there once the block is merged
 * <ns>/v<key>              record of a key in the set: winner and line (record.ts)
 * <ns>/e<key><block id>    live element of a key that did not win: priority, value
 * <ns>/t<key><block id>    tombstone that came before its block
 * <ns>/w<block id>         CID of a block that a merged one links to and that is not here yet
 * <ns>/d                   marked dirty by hand
 * <ns>/x/…                 index entries (view.ts)
 * <ns>/o/<first place>     run of merged blocks by priority (block-order.ts)
 * <ns>/r/<place>           block that waits to be merged anew (rebuild.ts)
 *
 * Keys and block ids begin with a slash.
 */
export interface Layout {
  readonly format: string
  readonly state: string
  readonly dirty: string
  /** Every key of the replica begins so. */
  readonly all: string
  readonly blocks: string
  readonly records: string
  readonly wanted: string
  readonly indexes: string
  readonly order: string
  readonly aside: string
  readonly block: (id: string) => string
  readonly record: (key: string) => string
  readonly element: (key: string, id: string) => string
  readonly elements: (key: string) => string
  readonly tombstone: (key: string, id: string) => string
  readonly want: (id: string) => string
  /** There when a Go peer wrote this namespace. */
  readonly foreign: string
}

/** @param namespace `crdt.datastore_namespace`, begins with a slash */
export const layoutOf = (namespace: string): Layout => ({
  format: `${namespace}/format`,
  state: `${namespace}/state`,
  dirty: `${namespace}/d`,
  all: `${namespace}/`,
  blocks: `${namespace}/b/`,
  records: `${namespace}/v/`,
  wanted: `${namespace}/w/`,
  indexes: `${namespace}/x/`,
  order: `${namespace}/o/`,
  aside: `${namespace}/r/`,
  block: (id) => `${namespace}/b${id}`,
  record: (key) => `${namespace}/v${key}`,
  element: (key, id) => `${namespace}/e${key}${id}`,
  elements: (key) => `${namespace}/e${key}/`,
  tombstone: (key, id) => `${namespace}/t${key}${id}`,
  want: (id) => `${namespace}/w${id}`,
  foreign: `${namespace}/crdt_version`
})
