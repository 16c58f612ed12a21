/** `api.restapi` (config.md §5). */
import { multiaddr } from '@multiformats/multiaddr'
import { field, flag, integer, minute, optionalDuration, second, text } from './fields.ts'
import { credentialsKind, headersMap, stringsOfMultiaddrs, textList } from './kinds.ts'
import { schema } from './schema.ts'
import type { SchemaValues } from './schema.ts'

const overLibp2p = 'the REST API is served over HTTP only'

export const restApiSchema = schema({
  httpListenMultiaddress: field(stringsOfMultiaddrs, [multiaddr('/ip4/127.0.0.1/tcp/9094')], { zeroIsDefault: true }),
  sslCertFile: text('', { hide: 'when zero' }),
  sslKeyFile: text('', { hide: 'when zero' }),
  readTimeout: optionalDuration(0),
  readHeaderTimeout: optionalDuration(5 * second),
  writeTimeout: optionalDuration(0),
  idleTimeout: optionalDuration(2 * minute),
  maxHeaderBytes: integer(4096, { zeroIsDefault: true, check: (value) => value >= 4096 ? undefined : 'must be at least 4096' }),
  libp2pListenMultiaddress: field(stringsOfMultiaddrs, [], { hide: 'when zero', unused: overLibp2p }),
  id: text('', { hide: 'when zero', unused: overLibp2p }),
  privateKey: text('', { hide: 'when zero', unused: overLibp2p }),
  basicAuthCredentials: field<Readonly<Record<string, string>> | null>(credentialsKind, null, { check: (value) => value !== null && Object.keys(value).length === 0 ? 'must be null or name at least one user' : undefined }),
  httpLogFile: text(''),
  headers: field(headersMap, {}),
  corsAllowedOrigins: field(textList, ['*'], { whenMissing: [] }),
  corsAllowedMethods: field(textList, ['GET'], { whenMissing: [] }),
  corsAllowedHeaders: field(textList, []),
  corsExposedHeaders: field(textList, ['Content-Type', 'X-Stream-Output', 'X-Chunked-Output', 'X-Content-Length'], { whenMissing: [] }),
  corsAllowCredentials: flag(true, { whenMissing: false }),
  corsMaxAge: optionalDuration(0)
}, (values) => {
  if ((values.sslCertFile === '') !== (values.sslKeyFile === '')) return { key: values.sslCertFile === '' ? 'ssl_cert_file' : 'ssl_key_file', reason: 'ssl_cert_file and ssl_key_file must be set together' }
  return undefined
})

export type RestApiConfig = SchemaValues<typeof restApiSchema>
