/** JSON text with the escapes of Go's encoder, so that both kinds of peers print the same bytes. */

const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', '\u2028': '\\u2028', '\u2029': '\\u2029' }
const special = /[<>&\u2028\u2029]/

/** `JSON.stringify`, with `<`, `>`, `&` and the two line separators escaped as Go does. */
export function stringifyGo (value: unknown): string {
  const text = JSON.stringify(value)
  return special.test(text) ? text.replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] as string) : text
}
