/** Go tells nil from empty: nil is left out on the wire and `null` in JSON, empty is written. These two are its nil; to every other reader they are empty. */

/** A list that Go holds as nil. */
export const nilList: readonly never[] = Object.freeze([])

/** A map of strings that Go holds as nil. */
export const nilMap: Readonly<Record<string, string>> = Object.freeze({})
