/** Questions this room asks about errors. */

/** The member does not let us call this: it is then left out of answers (behaviour.md §10). */
export const isAuthorizationError = (error: unknown): boolean =>
  error instanceof Error && error.name === 'RpcError' && 'kind' in error && error.kind === 'authorization'
