/** What every route is given and what it gives. */
import type { Clock } from '../../component.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Invitation } from '../invitation.ts'
import type { ApiRequest, ApiResponse } from '../response.ts'

export interface RouteContext {
  readonly cluster: Cluster
  readonly clock: Clock
  /** Fires when the API is to end what has no end of its own. */
  readonly closing: AbortSignal
  readonly request: ApiRequest
  /** Credentials were asked for, and were right. */
  readonly isAuthenticated: boolean
  /** What a join link says; undefined where this API makes none. */
  readonly invitation: (() => Invitation) | undefined
  readonly query: URLSearchParams
  /** A variable of the path, decoded. */
  readonly param: (name: string) => string
}

export type Handler = (context: RouteContext) => Promise<ApiResponse> | ApiResponse

/** A method and a path pattern with its handler; of two that match, the first counts. */
export type Route = readonly [method: 'GET' | 'POST' | 'DELETE', path: string, handler: Handler]
