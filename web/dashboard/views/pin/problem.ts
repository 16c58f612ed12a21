/** The HTTP status behind a failed call; 0 where there was no answer. */
export const pinRequestError = (error: unknown): number => error instanceof Error && error.name === 'ApiError' && 'code' in error && typeof error.code === 'number' ? error.code : 0
