/** What people type, and what addresses and files say. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRoute } from '../../../web/dashboard/route.ts'
import { servedBy } from '../../../web/dashboard/start.ts'
import { itemsOfFiles, together } from '../../../web/dashboard/views/add-items.ts'
import { targetProblem } from '../../../web/dashboard/views/add-pin.tsx'
import { apiAddress } from '../../../web/dashboard/views/connect.tsx'
import { draftOf, emptyOptions, requestFrom } from '../../../web/dashboard/views/pin-options.tsx'
import { mediaOf } from '../../../web/dashboard/views/pin/media.ts'
import { defaultPinOptions } from '../../../src/pin/pin.ts'

describe('options of a pin', () => {
  it('make a request', () => {
    expect(requestFrom(emptyOptions)).toEqual({ request: { name: '', replicationFactorMin: 0, replicationFactorMax: 0, expireAt: undefined, metadata: {} } })
    expect(requestFrom({ ...emptyOptions, name: ' a ', replication: 'everywhere', metadata: 'k = v=w\n\n' })).toEqual({ request: { name: 'a', replicationFactorMin: -1, replicationFactorMax: -1, expireAt: undefined, metadata: { k: 'v=w' } } })
  })

  it('say what is wrong', () => {
    expect(requestFrom({ ...emptyOptions, replication: 'copies', min: '3', max: '2' })).toHaveProperty('error.field', 'copies')
    expect(requestFrom({ ...emptyOptions, replication: 'copies', min: '1.5', max: '2' })).toHaveProperty('error.field', 'copies')
    expect(requestFrom({ ...emptyOptions, metadata: 'no value' })).toHaveProperty('error.field', 'metadata')
    expect(requestFrom({ ...emptyOptions, expires: '2020-01-01T00:00' })).toHaveProperty('error.field', 'expires')
  })

  it('come back from the form as they went in', () => {
    const expireAt = Math.ceil(Date.now() / 60_000) * 60_000 + 3_600_000
    const pin = { ...defaultPinOptions, name: 'kept', replicationFactorMin: 2, replicationFactorMax: 4, expireAt, metadata: { a: '1', b: 'x=y' } }
    expect(requestFrom(draftOf(pin))).toEqual({ request: { name: 'kept', replicationFactorMin: 2, replicationFactorMax: 4, expireAt, metadata: { a: '1', b: 'x=y' } } })
  })
})

describe('addresses', () => {
  it('of an API are read as people type them', () => {
    expect(apiAddress('127.0.0.1:9094')).toBe('http://127.0.0.1:9094')
    expect(apiAddress(' https://peer.example/webui/ ')).toBe('https://peer.example')
    expect(apiAddress('https://peer.example/api/')).toBe('https://peer.example/api')
    expect(apiAddress('')).toBeUndefined()
    expect(apiAddress('http://')).toBeUndefined()
  })

  it('of the page say which API served it', () => {
    expect(servedBy({ origin: 'http://h:1', pathname: '/webui/' })).toBe('http://h:1')
    expect(servedBy({ origin: 'https://h', pathname: '/behind/a/proxy/webui/index.html' })).toBe('https://h/behind/a/proxy')
    expect(servedBy({ origin: 'https://h', pathname: '/' })).toBe('https://h')
  })

  it('of views are read whatever they are', () => {
    expect(parseRoute('').parts).toEqual(['pins'])
    expect(parseRoute('#/pins/bafy?x=1').parts).toEqual(['pins', 'bafy'])
    fc.assert(fc.property(fc.string(), (text) => { expect(parseRoute(`#${text}`).parts.length).toBeGreaterThan(0) }))
  })

  it('of content are CIDs and paths', () => {
    expect(targetProblem('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')).toBeUndefined()
    expect(targetProblem('QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG/readme')).toBeUndefined()
    expect(targetProblem('/ipns/docs.ipfs.tech')).toBeUndefined()
    expect(targetProblem('hello')).toBeDefined()
    expect(targetProblem('/ipfs/')).toBeDefined()
  })
})

describe('files', () => {
  it('are known by their first bytes', () => {
    expect(mediaOf(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))).toEqual({ kind: 'image', type: 'image/png' })
    expect(mediaOf(new TextEncoder().encode('Grüße, 世界'))).toEqual({ kind: 'text', type: 'text/plain' })
    expect(mediaOf(new TextEncoder().encode('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'))).toEqual({ kind: 'image', type: 'image/svg+xml' })
    expect(mediaOf(new Uint8Array([0, 1, 2, 3]))).toBeUndefined()
    // The first bytes may end in the middle of a letter.
    expect(mediaOf(new TextEncoder().encode('世').subarray(0, 2))).toEqual({ kind: 'text', type: 'text/plain' })
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => { expect(() => mediaOf(bytes)).not.toThrow() }))
  })

  it('of a folder come together, in an order of their own', () => {
    const inFolder = (path: string): File => Object.defineProperty(new File(['x'], path.split('/').at(-1) ?? ''), 'webkitRelativePath', { value: path })
    const [lone, folder] = itemsOfFiles([inFolder('album/z.txt'), new File(['four'], 'lone.txt'), inFolder('album/b/a.txt'), inFolder('album/a.txt')])
    expect(lone).toMatchObject({ title: 'lone.txt', isFolder: false, bytes: 4 })
    expect(folder?.entries.map(({ path }) => path)).toEqual(['album/a.txt', 'album/b/a.txt', 'album/z.txt'])
    expect(folder).toMatchObject({ title: 'album', isFolder: true, bytes: 3 })
    if (lone === undefined || folder === undefined) throw new Error('two items were expected')
    expect(together([lone, folder], 'all').entries.map(({ path }) => path)).toEqual(['album/a.txt', 'album/b/a.txt', 'album/z.txt', 'lone.txt'])
  })
})
