/** What the views compute before they draw: the network's picture, a member's row, the lines of the log. */
import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { EventLog, lineOf, maxLines } from '../../../web/dashboard/views/activity/log.ts'
import { networkOf, place } from '../../../web/dashboard/views/network/layout.ts'
import { rowsOf } from '../../../web/dashboard/views/network/peer-rows.ts'
import { MemoryCluster, alpha, beta } from '../../api/memory-cluster.ts'

const cluster = new MemoryCluster()
const ghost = peerIdFromString('12D3KooWDebwamDbFt1AppfvtogvC1PJXFxMGYxY8LnvmJ31gXBs')

describe('the network', () => {
  it('has each peer and each connection once, and knows who says so', () => {
    const names = new Map([[alpha.toString(), 'alpha'], [beta.toString(), 'beta'], [ghost.toString(), '']])
    const { nodes, links } = networkOf({ idToPeerName: names, clusterLinks: new Map([[alpha.toString(), [beta, alpha, ghost]], [beta.toString(), [alpha]]]) })
    expect(nodes.map(({ id }) => id).toSorted()).toEqual([alpha, beta, ghost].map(String).toSorted())
    expect(links).toHaveLength(2)
    expect(links.find(({ to, from }) => [to, from].includes(beta.toString()))?.both).toBe(true)
    expect(links.find(({ to, from }) => [to, from].includes(ghost.toString()))?.both).toBe(false)
  })

  it('fits into its frame, the same each time, with no two peers on one spot', () => {
    const nodes = Array.from({ length: 24 }, (_, index) => ({ id: `peer ${index}`, name: '' }))
    const links = nodes.slice(1).map(({ id }) => ({ from: 'peer 0', to: id, both: true }))
    const frame = { width: 720, height: 340 }
    const placed = place({ nodes, links }, frame)
    expect(place({ nodes, links }, frame)).toEqual(placed)
    for (const { x, y } of placed) expect([x > 0 && x < 720, y > 0 && y < 340]).toEqual([true, true])
    expect(new Set(placed.map(({ x, y }) => `${Math.round(x)} ${Math.round(y)}`)).size).toBeGreaterThan(20)
  })
})

describe('rows of members', () => {
  it('join the answer of a peer with its metrics; a tab that is silent stays in the list', async () => {
    const infos = []
    for await (const info of cluster.peers()) infos.push(info)
    const silent = { id: ghost, addresses: [], clusterPeers: [], clusterPeersAddresses: [], version: '', commit: '', rpcProtocolVersion: '', error: 'no answer', peerName: '', light: true }
    const rows = rowsOf({ self: beta.toString(), infos: [...infos, silent], graph: await cluster.graph(), ping: cluster.metrics('ping'), freespace: cluster.metrics('freespace'), pinqueue: cluster.metrics('pinqueue') })
    expect(rows.map(({ name, isSelf, isTab, error }) => [name, isSelf, isTab, error])).toEqual([['beta', true, false, ''], ['alpha', false, false, ''], ['', false, true, 'no answer']])
    expect(rows[1]).toMatchObject({ free: 4999978492, queue: 0, links: [beta.toString()] })
    expect(rows[2]).toMatchObject({ free: undefined, queue: undefined, seen: undefined })
  })
})

describe('the log', () => {
  const cid = 'bafkreibpmsjuqdvcgjat6job2dyepgswvawrnlda6vlolommnivog6v5ky'

  it('says what happened with names where they are known', () => {
    const nameOf = (id: string): string => id === alpha.toString() ? 'alpha' : ''
    expect(lineOf({ type: 'peer:connected', data: alpha.toString() }, nameOf)).toEqual({ tone: 'good', text: 'alpha connected' })
    expect(lineOf({ type: 'peer:disconnected', data: beta.toString() }, nameOf)?.text).toContain(beta.toString().slice(-8))
    expect(lineOf({ type: 'events:dropped', data: 10_000 }, nameOf)?.text).toBe('10,000 events were too many to show')
    expect(lineOf({ type: 'pin:progressed', data: { cid: CID.parse(cid), blocks: 1 } }, nameOf)).toBeUndefined()
  })

  it('keeps the newest lines, newest first', () => {
    const log = new EventLog()
    for (let n = 0; n < 3 * maxLines + 7; n++) log.add({ tone: 'idle', text: String(n) }, n)
    expect(log.lines).toHaveLength(maxLines)
    expect(log.lines[0]?.text).toBe(String(3 * maxLines + 6))
    log.clear()
    expect(log.lines).toEqual([])
  })
})
