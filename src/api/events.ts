/** What `GET /events` streams: facts about pins, peers, sync and alerts, as they happen (server-sent events). */
import type { SyncState } from '../cluster/types.ts'
import type { Alert } from '../monitor/metric.ts'
import type { PinInfo } from '../pin/pin-info.ts'
import type { Pin } from '../pin/pin.ts'
import type { PinProgress } from '../tracker/tracker.ts'

/** One event; `type` is the `event:` field, `data` its decoded JSON. CIDs and peer IDs that stand alone are text. */
export type ApiEvent =
  | { readonly type: 'pin:added', readonly data: Pin }
  | { readonly type: 'pin:removed', readonly data: string }
  | { readonly type: 'status:changed', readonly data: PinInfo }
  | { readonly type: 'pin:progressed', readonly data: PinProgress }
  | { readonly type: 'peer:connected' | 'peer:disconnected', readonly data: string }
  | { readonly type: 'alert:raised', readonly data: Alert }
  | { readonly type: 'sync:progressed', readonly data: SyncState }
  /** Events were left out because this client reads too slowly: read the state anew. */
  | { readonly type: 'events:dropped', readonly data: number }
