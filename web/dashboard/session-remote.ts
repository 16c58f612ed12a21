/** A session with a peer elsewhere: its REST API, over HTTP. */
import { ClusterClient, webTransport } from '../../src/api/client.ts'
import type { ClientOptions } from '../../src/api/client.ts'
import type { AbortOptions } from '../../src/component.ts'
import { LiveStream } from './live.ts'
import { uploadTransport } from './upload.ts'
import { forgetLogin, forgetPlace } from './memory.ts'
import type { Session } from './session.ts'

export interface Login { readonly user: string, readonly password: string }

/** Whether the API wants to know who asks. */
export const isUnauthorized = (error: unknown): boolean => error instanceof Error && error.name === 'ApiError' && 'code' in error && error.code === 401

export interface RemoteOptions {
  /** Where the API is: `http://127.0.0.1:9094`. */
  readonly url: string
  readonly login?: Login | undefined
}

// `omit`: a refusal is ours to show; the browser's own login box would come before the page hears of it.
const fetchWithoutPrompt: typeof fetch = async (input, init) => await fetch(input, { ...init, credentials: 'omit' })

/** A client of this API. */
export const remoteClient = ({ url, login }: RemoteOptions): ClusterClient => new ClusterClient({ url, credentials: login, transport: webTransport(fetchWithoutPrompt) })

export interface RemoteHooks {
  /** The user has left the session. */
  readonly onLeft: () => void
  /** The peer wants a login, or another one. */
  readonly onRefused: () => void
}

/** Opens the session; the API has answered before. */
export function remoteSession (options: RemoteOptions, { onLeft, onRefused }: RemoteHooks): Session {
  const client = remoteClient(options)
  const probe = async (given: AbortOptions): Promise<void> => {
    await client.version(given).catch((error: unknown) => {
      if (isUnauthorized(error)) onRefused()
      throw error
    })
  }
  const live = new LiveStream({ events: (given) => client.events(given), probe })
  const running = live.run()
  const base: ClientOptions = { url: options.url, credentials: options.login }
  const close = async (): Promise<void> => {
    live.stop()
    await running
  }
  return {
    mode: 'remote', client, live, close,
    title: new URL(options.url).host,
    add: (entries, { onUpload, ...add }) => new ClusterClient({ ...base, transport: uploadTransport(onUpload) }).add(entries, add),
    contentUrl: options.login === undefined ? (path) => `${options.url}/ipfs/${path.split('/').map(encodeURIComponent).join('/')}` : undefined,
    leave: async () => {
      await close()
      forgetLogin(options.url)
      forgetPlace()
      onLeft()
    }
  }
}
