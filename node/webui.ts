/**
 * `/webui`: the dashboard as static files. Anybody who reaches the API may load the pages, which hold nothing of the cluster; their calls need
 * the login that the API asks for.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Pages } from '../src/api/api.ts'
import { contentTypeOf } from '../src/api/media-types.ts'
import { ApiResponse } from '../src/api/response.ts'
import type { HeaderList } from '../src/api/response.ts'

/** Only its own scripts run; what it connects to is up to the user: other peers' APIs, and members in the same network. Its cryptography is WebAssembly. */
const policy = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "img-src 'self' data: blob:", "media-src 'self' blob:", "font-src 'self'",
  "worker-src 'self'", "manifest-src 'self'", 'connect-src http: https: ws: wss:', "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"
].join('; ')

const common: HeaderList = [['Content-Security-Policy', policy], ['X-Content-Type-Options', 'nosniff'], ['Referrer-Policy', 'no-referrer']]
const notBuilt = 'The dashboard is not built: run `npm run build:webui` in the clone of pinswarm, then load this page again.\n'
/** Names with a hash of their content in them, as the build gives them. */
const isHashed = (path: string): boolean => /^assets\/.+-[\w-]{8}\.\w+$/.test(path)

/** Where the built dashboard is: in `dist` of this package, in a clone and where it is installed. */
export function webUiFolder (from = import.meta.dirname): string {
  let folder = from
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return join(folder, 'dist', 'webui')
}

const plain = (status: number, text: string, headers: HeaderList = []): ApiResponse => new ApiResponse({ status, headers: [['Content-Type', 'text/plain; charset=utf-8'], ...common, ...headers], body: text })

/** The path below the folder; undefined where it is none: no file of the dashboard begins with a dot or needs an escape. */
function fileOf (path: string): string | undefined {
  if (path === '') return 'index.html'
  return path.split('/').every((segment) => /^[\w-][\w.-]*$/.test(segment)) ? path : undefined
}

async function contentOf (folder: string, file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(join(folder, file))
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG'].includes(String(error.code))) return undefined
    throw error
  }
}

/** Serves the files of a folder below `/webui/`. They are read as they are asked for: a new build shows at once. */
export const webUi = (folder: string): Pages => async ({ method, headers }, path) => {
  if (path !== '/webui' && !path.startsWith('/webui/')) return undefined
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'the dashboard is only read\n', [['Allow', 'GET, HEAD']])
  if (path === '/webui') return new ApiResponse({ status: 307, headers: [['Location', '/webui/'], ...common] })
  const file = fileOf(path.slice('/webui/'.length))
  const content = file === undefined ? undefined : await contentOf(folder, file)
  if (file === undefined || content === undefined) return plain(404, existsSync(join(folder, 'index.html')) ? 'the dashboard has no such file\n' : notBuilt)
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
  const caching: HeaderList = [['ETag', etag], ['Cache-Control', isHashed(file) ? 'public, max-age=31536000, immutable' : 'no-cache']]
  if (headers.get('if-none-match')?.split(',').some((known) => known.trim().replace(/^W\//, '') === etag) === true) return new ApiResponse({ status: 304, headers: [...common, ...caching] })
  return new ApiResponse({ status: 200, headers: [['Content-Type', contentTypeOf(file)], ...common, ...caching], body: content })
}
