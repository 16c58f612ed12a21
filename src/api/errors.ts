/** Errors of the REST API: what the server refuses and what a client is told. */
import { errorText } from '../component.ts'

/** An answer that says no; `code` is the HTTP status, 0 when no server answered. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly code: number
  constructor (code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A request that the API cannot read: status 400 with this text. */
export const badRequest = (message: string, cause?: unknown): ApiError => new ApiError(400, message, { cause })

/** Status of a failure: the text of an absent pin is 404, whatever threw it (it may come from another peer). */
export function statusOf (error: unknown): number {
  if (error instanceof Error && error.name === 'ApiError') return (error as ApiError).code
  return errorText(error) === 'pin is not part of the pinset' ? 404 : 500
}
