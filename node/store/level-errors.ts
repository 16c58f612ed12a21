/** What LevelDB's errors mean. */
import { errorText } from '../../src/component.ts'
import { StoreError } from '../../src/store/errors.ts'

/** How to mend a damaged folder, in the words of an error. */
const mending = 'stop the peer and mend it with `ipfs-cluster-service state crdt repair`'

/** Codes of an error and of its causes, outermost first. */
function codesOf (error: unknown): string[] {
  const codes: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) codes.push('code' in at ? String(at.code) : '')
  return codes
}

const rootText = (error: unknown): string => error instanceof Error && error.cause !== undefined ? rootText(error.cause) : errorText(error)

const damageCodes = ['LEVEL_CORRUPTION', 'LEVEL_INVALID']
const isDamage = (error: unknown): boolean => codesOf(error).some((code) => damageCodes.includes(code)) || /Corruption:|\.(ldb|sst): (Invalid argument|No such file)/.test(rootText(error))
const isFull = (error: unknown): boolean => /no space left|file too large|disk quota exceeded|ENOSPC|EFBIG|EDQUOT/i.test(rootText(error))

export const damagedError = (folder: string, what: string, options?: ErrorOptions): StoreError => new StoreError('damaged', `the data folder ${folder} is damaged: ${what}; ${mending}`, options)

export const fullError = (folder: string, what: string, options?: ErrorOptions): StoreError =>
  new StoreError('full', `no room left on the disk of ${folder}: this was not written; what was acknowledged is kept, and writing goes on once there is room (${what})`, options)

export function openError (folder: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  if (codesOf(error).includes('LEVEL_LOCKED')) return new StoreError('locked', `the data folder ${folder} is in use by another process: ${rootText(error)}`, { cause: error })
  if (isDamage(error)) return damagedError(folder, rootText(error), { cause: error })
  if (isFull(error)) return fullError(folder, rootText(error), { cause: error })
  return new StoreError('unavailable', `the data folder ${folder} cannot be opened: ${rootText(error)}`, { cause: error })
}

/** `isOpen`: nobody has closed the store. */
export function useError (folder: string, error: unknown, isOpen: boolean): Error {
  if (error instanceof StoreError) return error
  const codes = codesOf(error)
  if (codes.includes('LEVEL_DATABASE_NOT_OPEN') || codes.includes('LEVEL_ITERATOR_NOT_OPEN')) {
    return isOpen ? new StoreError('unavailable', 'the store was opened anew after the disk had been full: ask again', { cause: error }) : new StoreError('closed', 'the store is closed', { cause: error })
  }
  if (isDamage(error)) return damagedError(folder, rootText(error), { cause: error })
  if (isFull(error)) return fullError(folder, rootText(error), { cause: error })
  return error instanceof Error ? error : new Error(String(error))
}
