/** Options of the program itself; they stand before the command. */
import { integer, text, toggle } from './command.ts'

export const globalFlags = {
  host: text('multiaddr', 'where the API is; a comma list is tried in order (default: /ip4/127.0.0.1/tcp/9094)', 'l'),
  encoding: text('text|json', 'what to print: text for people, or JSON (default: text)', 'enc'),
  https: toggle('speak HTTPS to the API', 's'),
  noCheckCertificate: toggle('accept any certificate of the server; only with --https'),
  timeout: integer('seconds that a request may take; 0 = as long as it takes', 't'),
  basicAuth: text('user[:password]', 'credentials, if the API asks for them; turns on --https ($CLUSTER_CREDENTIALS)'),
  forceHttp: toggle('send credentials over plain HTTP; only on a network you trust', 'f'),
  secret: text('hex', 'cluster secret for the API over libp2p (not available yet)'),
  debug: toggle('say on stderr what is asked', 'd'),
  version: toggle('print the version of this program', 'v')
} as const
