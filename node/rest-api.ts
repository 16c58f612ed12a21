/** The REST API of a running peer as `api.restapi` configures it. */
import { createWriteStream } from 'node:fs'
import { createApi } from '../src/api/api.ts'
import type { Invitation } from '../src/api/invitation.ts'
import type { Cluster } from '../src/cluster/cluster.ts'
import type { ComponentLogger } from '../src/component.ts'
import type { RestApiConfig } from '../src/config/rest-api.ts'
import { readNamed } from './files.ts'
import type { Folder } from './folder.ts'
import { createHttpServer } from './http/server.ts'
import type { HttpServer } from './http/server.ts'
import { webUi, webUiFolder } from './webui.ts'

export interface RestApiParts {
  readonly folder: Folder
  readonly logger: ComponentLogger
  /** What join links say. */
  readonly invitation: () => Invitation
}

/** Not listening yet. Throws InvalidConfigError when a file it names cannot be read. */
export async function openRestApi (cluster: Cluster, config: RestApiConfig, { folder, logger, invitation }: RestApiParts): Promise<HttpServer> {
  const tls = config.sslCertFile === '' ? undefined : { cert: await readNamed(folder.at(config.sslCertFile), 'api.restapi.ssl_cert_file'), key: await readNamed(folder.at(config.sslKeyFile), 'api.restapi.ssl_key_file') }
  const logFile = config.httpLogFile === '' ? undefined : createWriteStream(folder.at(config.httpLogFile), { flags: 'a', mode: 0o600 })
  logFile?.on('error', (error) => { logger.forComponent('restapi').error('api.restapi.http_log_file', error) })
  const api = createApi(cluster, {
    credentials: config.basicAuthCredentials ?? undefined,
    headers: config.headers,
    pages: webUi(webUiFolder()),
    invitation,
    cors: {
      allowedOrigins: config.corsAllowedOrigins, allowedMethods: config.corsAllowedMethods, allowedHeaders: config.corsAllowedHeaders,
      exposedHeaders: config.corsExposedHeaders, allowCredentials: config.corsAllowCredentials, maxAge: config.corsMaxAge
    }
  })
  const server = createHttpServer({ api, logger }, {
    listen: config.httpListenMultiaddress.map(String),
    readTimeout: config.readTimeout, readHeaderTimeout: config.readHeaderTimeout, writeTimeout: config.writeTimeout, idleTimeout: config.idleTimeout, maxHeaderBytes: config.maxHeaderBytes,
    tls,
    accessLog: logFile === undefined ? undefined : (line) => { logFile.write(`${line}\n`) }
  })
  return { start: async () => { await server.start() }, addresses: () => server.addresses(), stop: async () => { try { await server.stop() } finally { logFile?.end() } } }
}
