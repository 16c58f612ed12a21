/** Lines of Apache's Common Log Format. */
import type { IncomingMessage, ServerResponse } from 'node:http'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
const two = (value: number): string => String(value).padStart(2, '0')

/** `22/Nov/2026:20:16:54 +0000` */
const timestamp = (date: Date): string =>
  `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`

/** User name of Basic credentials, or `-`; never the password. */
function userOf (authorization: string | undefined): string {
  const [, encoded] = /^basic\s+(\S+)$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return '-'
  const user = Buffer.from(encoded, 'base64').toString().split(':')[0]?.replaceAll(/[^\x21-\x7e]/g, '') ?? ''
  return user === '' ? '-' : user
}

const unprintable = /[^\x20-\x7e]|["\\]/
const printable = (text: string): string => !unprintable.test(text) ? text : text.replaceAll(/["\\]/g, '\\$&').replaceAll(/[^\x20-\x7e]/g, '?')

/** One line; `bytes` of the body as sent. */
export const accessLine = (incoming: IncomingMessage, outgoing: ServerResponse, bytes: number, now: number, remote: string): string =>
  `${remote} - ${userOf(incoming.headers.authorization)} [${timestamp(new Date(now))}] "${printable(`${incoming.method} ${incoming.url} HTTP/${incoming.httpVersion}`)}" ${outgoing.statusCode} ${bytes}`
