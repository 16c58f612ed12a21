/** How large a DAG is, from its root alone. */
import * as dagPb from '@ipld/dag-pb'
import * as raw from 'multiformats/codecs/raw'
import type { CID } from 'multiformats/cid'

/** Bytes of the root and of everything below it, as its links say; blocks that occur twice count twice. Undefined where the root does not say. */
export function dagSize (cid: CID, root: Uint8Array): number | undefined {
  if (cid.code === raw.code) return root.length
  if (cid.code !== dagPb.code) return undefined
  let size = root.length
  try {
    for (const { Tsize } of dagPb.decode(root).Links) {
      if (Tsize === undefined) return undefined
      size += Tsize
    }
  } catch { return undefined }
  return Number.isSafeInteger(size) && size >= root.length ? size : undefined
}
