/** The pubsub topic that carries a cluster's heads (wire.md §3.1). */
import { md5 } from '@noble/hashes/legacy.js'
import { base58btc } from 'multiformats/bases/base58'
import { create } from 'multiformats/hashes/digest'

const md5Code = 0xd5

/** Base58 of the MD5 multihash of the cluster's name. MD5 only names; it protects nothing. */
export const topicOf = (clusterName: string): string => base58btc.baseEncode(create(md5Code, md5(new TextEncoder().encode(clusterName))).bytes)
