/** Reads a listing over and over until it is killed: `node test/bench/list-reader.ts BASE PATH`. Says when the first bytes of each have come. */
import { request } from 'node:http'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'

const [base = '', path = ''] = process.argv.slice(2)
for (;;) {
  const outgoing = request(new URL(path, base)).end()
  const [incoming] = await once(outgoing, 'response') as [IncomingMessage]
  incoming.once('data', () => { console.log('reading') })
  await once(incoming.resume(), 'end')
}
