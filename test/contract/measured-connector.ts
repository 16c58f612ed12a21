/** What a connector counts of its work; run by each that counts, with a fresh IPFS. */
import { pinWith } from '../../src/pin/pin.ts'
import { collect, each, putAll, rawBlock, sampleDag } from './ipfs-connector.ts'
import { expect, it, onTestFinished } from 'vitest'
import type { ConnectorUnderTest } from './ipfs-connector.ts'
import type { Measures } from '../../src/observations/measures.ts'

export function measuredConnectorContract (name: string, open: () => Promise<ConnectorUnderTest & { readonly measures: Measures }>): void {
  it(`figures of ${name}: blocks and pins, and what fails of them`, async () => {
    const { connector, measures, close } = await open()
    onTestFinished(close)
    const { root, blocks } = await sampleDag('measured')
    await connector.start()
    const before = { ...measures, ipfsPins: (await collect(connector.pins())).length }
    expect(before).toEqual({ ...measures, pinRequests: 0, pinErrors: 0, blockPuts: 0, blockPutErrors: 0, blocksAdded: 0, bytesAdded: 0 })

    await putAll(connector, blocks)
    expect(measures).toMatchObject({ blocksAdded: blocks.length, bytesAdded: blocks.reduce((sum, { bytes }) => sum + bytes.length, 0), blockPutErrors: 0 })
    expect(measures.blockPuts).toBeGreaterThan(0)

    const [leaf, absent] = [await rawBlock('measured alone'), await rawBlock('nobody has this')]
    await putAll(connector, [leaf])
    await connector.pin(pinWith(root.cid))
    await connector.pin(pinWith(leaf.cid, { mode: 'direct' }))
    expect(measures).toMatchObject({ pinRequests: 2, pinErrors: 0, ipfsPins: before.ipfsPins + 2 })
    await expect(connector.pin(pinWith(absent.cid))).rejects.toThrow()
    expect(measures).toMatchObject({ pinRequests: 3, pinErrors: 1, ipfsPins: before.ipfsPins + 2 })
    await connector.unpin(leaf.cid)
    await connector.unpin(absent.cid) // not pinned
    expect(measures.ipfsPins).toBe(before.ipfsPins + 1)

    measures.ipfsPins = -1
    for await (const pin of connector.pins()) if (pin.status === 'recursive') break
    expect(measures.ipfsPins).toBe(-1) // not listed to the end
    await collect(connector.pins())
    expect(measures.ipfsPins).toBe(before.ipfsPins + 1)
    measures.ipfsPins = -1
    await collect<unknown>(connector.pinnedKeys?.() ?? connector.pins())
    expect(measures.ipfsPins).toBe(before.ipfsPins + 1)

    const { blocksAdded } = measures
    await expect(collect(connector.blockPutStream(each([{ cid: root.cid, bytes: leaf.bytes }])))).rejects.toMatchObject({ name: 'BlockMismatchError' })
    expect(measures).toMatchObject({ blockPutErrors: 1, blocksAdded })
  })
}
