/** A web server for static files on loopback, which browsers count as a secure context. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const types: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json', '.wasm': 'application/wasm' }

export interface StaticSite {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string
  readonly close: () => Promise<void>
}

export async function serveFolder (folder: string): Promise<StaticSite> {
  const server = createServer((request, response) => {
    void (async () => {
      const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
      let file = join(folder, path)
      const found = await stat(file).catch(() => undefined)
      if (found?.isDirectory() === true) file = join(file, 'index.html')
      const isFile = await stat(file).then((entry) => entry.isFile(), () => false)
      response.writeHead(isFile ? 200 : 404, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Cache-Control': 'no-cache' })
      if (isFile) createReadStream(file).pipe(response)
      else response.end()
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
