/** The kubo connector against a real kubo, where there is an `ipfs` in PATH. */
import { nodeKuboPost } from '../../node/ipfs/kubo-post.ts'
import { silentLogger } from '../../src/component.ts'
import { KuboConnector } from '../../src/ipfs/kubo.ts'
import { newMeasures } from '../../src/observations/measures.ts'
import { pinWith } from '../../src/pin/pin.ts'
import { collect, each, ipfsConnectorContract, putAll, rawBlock, sampleDag } from '../contract/ipfs-connector.ts'
import { measuredConnectorContract } from '../contract/measured-connector.ts'
import { hasKubo, startKubo } from './kubo-daemon.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KuboDaemon } from './kubo-daemon.ts'

describe.runIf(hasKubo)('a real kubo', () => {
  ipfsConnectorContract('kubo over node:http', async () => {
    const daemon = await startKubo()
    const { post, close } = nodeKuboPost()
    const connector = new KuboConnector(daemon.api, { logger: silentLogger }, { pinTimeout: 1500, post })
    await connector.start()
    return { connector, close: async () => { await connector.stop(); close(); await daemon.stop() } }
  })

  ipfsConnectorContract('kubo over fetch', async () => {
    const daemon = await startKubo()
    const connector = new KuboConnector(daemon.api, { logger: silentLogger }, { pinTimeout: 1500 })
    await connector.start()
    return { connector, close: async () => { await connector.stop(); await daemon.stop() } }
  })

  measuredConnectorContract('kubo', async () => {
    const daemon = await startKubo()
    const measures = newMeasures()
    const connector = new KuboConnector(daemon.api, { logger: silentLogger, measures }, { pinTimeout: 1500 })
    return { connector, measures, close: async () => { await connector.stop(); await daemon.stop() } }
  })

  describe('beyond the contract', () => {
    let daemon: KuboDaemon
    let kubo: KuboConnector
    const { post, close } = nodeKuboPost()
    beforeAll(async () => {
      daemon = await startKubo()
      kubo = new KuboConnector(daemon.api, { logger: silentLogger }, { pinTimeout: 1000, post })
    })
    afterAll(async () => { await kubo.stop(); close(); await daemon.stop() })

    it('says what kubo says', async () => {
      const { root, blocks } = await sampleDag('twice')
      await putAll(kubo, blocks)
      await kubo.pin(pinWith(root.cid))
      await expect(kubo.pin(pinWith(root.cid, { mode: 'direct' }))).rejects.toThrow(`IPFS error (pin/add?arg=${root.cid}&recursive=false&progress=true). Code: 500. Message: pin: ${root.cid} already pinned recursively`)
    })

    it('pins several at once where their content is here, and says soon that some is not', async () => {
      const here = await Promise.all(['a', 'b', 'c'].map((text) => rawBlock(`together ${text}`)))
      const { root, blocks } = await sampleDag('together')
      const missing = await rawBlock('nobody has put this')
      await putAll(kubo, [...here, ...blocks])
      const cids = [root.cid, ...here.map(({ cid }) => cid)]
      await kubo.pinLocal(cids)
      for (const cid of cids) expect(await kubo.pinStatus(pinWith(cid))).toBe('recursive')
      for (const cid of cids) await kubo.unpin(cid)
      await expect(kubo.pinLocal([root.cid, missing.cid, ...cids])).rejects.toMatchObject({ name: 'IpfsError' })
      expect([await kubo.pinStatus(pinWith(root.cid)), await kubo.pinStatus(pinWith(missing.cid))]).toEqual(['recursive', 'unpinned'])
      await kubo.pinLocal(cids)
    })

    it('takes thousands of blocks in one stream', async () => {
      const blocks = await Promise.all(Array.from({ length: 2000 }, (_, index) => rawBlock(`many ${index} `.repeat(100))))
      const cids = await collect(kubo.blockPutStream(each(blocks)))
      expect(cids).toHaveLength(2000)
    })

    it('does not stumble over connections that were kept while kubo was restarted', async () => {
      await Promise.all([1, 2, 3].map(() => kubo.id()))
      await daemon.stop()
      daemon = await startKubo(daemon)
      expect((await kubo.id()).error).toBe('')
    })

    it('says who is not there after kubo has gone, and works again when it is back', async () => {
      await daemon.stop()
      await expect(kubo.id()).rejects.toThrow(/^Post "http:\/\/127\.0\.0\.1:\d+\/api\/v0\/id": dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/)
      daemon = await startKubo(daemon)
      expect((await kubo.id()).error).toBe('')
    })
  })
})

