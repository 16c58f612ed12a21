/** How a browser joins. */
import { ApiError } from '../errors.ts'
import { invite } from '../invitation.ts'
import type { Route } from './route.ts'

export const inviteRoutes: readonly Route[] = [
  ['GET', '/invite', ({ request, query, invitation, isAuthenticated }) => {
    if (invitation === undefined) throw new ApiError(404, 'this peer makes no join links')
    return invite(request, query, invitation(), isAuthenticated)
  }]
]
