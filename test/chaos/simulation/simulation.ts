/** One seed of the simulation: a cluster in one process, a schedule of work and faults, and in the end the judgement. */
import type { Peer } from '../../../src/cluster/peer.ts'
import type { PinOptions } from '../../../src/pin/pin.ts'
import type { Outcome } from '../outcome.ts'
import type { IpfsFault } from './faulty-ipfs.ts'
import { createMemoryNetwork, type MemoryNetwork } from '../../../src/transport/memory.ts'
import { ManualClock, settle, testCid } from '../../contract/values.ts'
import { errorText } from '../../../src/component.ts'
import { Ledger } from '../ledger.ts'
import { calm, Dice, drawScenario, drawWeather, type Scenario, type Weather } from './scenario.ts'
import { SimMember } from './sim-member.ts'

/** Errors that say that nothing was changed. */
const refusals = new Set(['PinNotFoundError', 'PinRefusedError', 'InsufficientAllocationsError'])
/** Ms of the simulation's time in which healed members must agree, and their IPFS hold everything. */
const patience = 30 * 60_000
/** More than any batch takes to be written. */
const longestBatch = 15_000

export const simulate = async (seed: number): Promise<Outcome> => await new Simulation(seed).run()

class Simulation {
  readonly #dice: Dice
  readonly #scenario: Scenario
  readonly #clock = new ManualClock()
  readonly #weather: Weather
  readonly #network: MemoryNetwork
  readonly #members: readonly SimMember[]
  readonly #ledger = new Ledger()
  readonly #work = new Set<Promise<void>>()
  readonly #trace: string[] = []
  readonly #failures: string[] = []
  #values = 0

  constructor (seed: number) {
    const dice = new Dice(seed)
    this.#dice = dice
    this.#scenario = drawScenario(dice)
    const weather = drawWeather(dice)
    this.#weather = weather
    const network = new Dice(seed + 0x10000).number
    this.#network = createMemoryNetwork({
      clock: this.#clock, random: network,
      get latency () { return weather.latency }, get loss () { return weather.loss }, get duplicate () { return weather.duplicate }, get chunkSize () { return weather.chunkSize }
    })
    const { members, crdtOf } = this.#scenario
    this.#members = Array.from({ length: members }, (_, index) => new SimMember({ number: index + 1, seed, clock: this.#clock, network: this.#network, crdt: crdtOf(index + 1), members }))
  }

  async run (): Promise<Outcome> {
    let agreedAfter = Number.NaN
    try {
      for (const member of this.#members) this.#spawn(`start of ${member.name}`, member.start())
      await this.#clock.advance(2_000)
      for (let step = 0; step < this.#scenario.steps && this.#failures.length === 0; step++) {
        await this.#step()
        await this.#clock.advance(this.#dice.of([0, 10, 200, 1_000, 1_000, 5_000, 20_000]))
      }
      await this.#heal()
      agreedAfter = await this.#agree()
    } catch (error) {
      this.#failures.push(error instanceof Error ? error.stack ?? error.message : String(error))
    }
    await this.#end()
    const { operations } = this.#ledger
    return {
      failures: this.#failures, trace: this.#trace, agreedAfter, text: this.#scenario.text, operations: operations.length, pins: this.#pins,
      acknowledged: operations.filter(({ state }) => state === 'acknowledged').length
    }
  }

  #pins = 0

  #note (text: string): void { this.#trace.push(`${((this.#clock.now() - start) / 1000).toFixed(3)} ${text}`) }

  #spawn (what: string, work: Promise<unknown>): void {
    const task = work.then(() => {}, (error: unknown) => { this.#note(`${what} failed: ${errorText(error)}`) }).finally(() => { this.#work.delete(task) })
    this.#work.add(task)
  }

  #up (): readonly SimMember[] { return this.#members.filter(({ isUp }) => isUp) }

  async #step (): Promise<void> {
    const dice = this.#dice
    const member = dice.of(this.#members)
    const { name } = member
    const action = dice.weighted(['write', 10], ['burst', 2], ['read', 4], ['crash', 2], ['power', 1.5], ['stop', 0.7], ['start', 4], ['pause', 1], ['resume', 3], ['skew', 1], ['part', 1.5], ['join', 2], ['cut', 1], ['weather', 1.5], ['disk', 2], ['ipfs', 2], ['dirty', 0.3])
    switch (action) {
      case 'write':
        for (let left = dice.between(1, 6); left > 0; left--) this.#write(dice.chance(0.5) ? member : dice.of(this.#members), this.#scenario.cids)
        return
      case 'burst':
        this.#spawn('burst', this.#burst(member, dice.between(20, 80)))
        return
      case 'read':
        if (member.isUp) this.#spawn('read', this.#look(member, dice.between(1, this.#scenario.cids)))
        return
      case 'crash': case 'power':
        if (!member.isUp) return
        this.#note(`${action} ${name}`)
        this.#ledger.lose(name, await member.crash(action === 'power'))
        return
      case 'stop':
        if (!member.isUp || member.life.isPaused) return
        this.#note(`stop ${name}`)
        // What waits in memory is written at the stop, unless the disk is full.
        if (member.isBatching && member.disk.full) this.#ledger.lose(name, member.disk.mark)
        this.#spawn('stop', member.stop())
        return
      case 'start':
        if (member.isUp) return
        this.#note(`start ${name}`)
        this.#spawn('start', member.start())
        return
      case 'pause': case 'resume':
        if (!member.isUp) return
        this.#note(`${action} ${name}`)
        member.life[action]()
        return
      case 'skew':
        member.clock.skew = dice.of([0, -86_400_000, -600_000, -30_000, 45_000, 900_000, 86_400_000])
        this.#note(`${name} is ${member.clock.skew} ms ahead`)
        return
      case 'part': {
        const group = this.#members.filter(() => dice.chance(0.5))
        this.#note(`part ${group.map((one) => one.name).join(', ')} from the rest`)
        this.#network.partition(group.map(({ id }) => id))
        return
      }
      case 'join':
        this.#note('join')
        this.#network.heal()
        return
      case 'cut': {
        const other = dice.of(this.#members)
        this.#note(`cut ${name} - ${other.name}`)
        this.#network.disconnect(member.id, other.id)
        return
      }
      case 'weather':
        Object.assign(this.#weather, drawWeather(dice))
        this.#note(`weather ${JSON.stringify(this.#weather)}`)
        return
      case 'disk':
        member.disk.full = dice.chance(0.4)
        member.disk.writeTime = dice.of([0, 0, 5, 500])
        this.#note(`disk of ${name} ${member.disk.full ? 'full' : 'has room'}, ${member.disk.writeTime} ms`)
        return
      case 'ipfs':
        member.ipfs.fault = dice.of<IpfsFault>(['none', 'none', 'hangs', 'slow', 'fails', 'lies'])
        this.#note(`IPFS of ${name}: ${member.ipfs.fault}`)
        return
      case 'dirty':
        if (!member.isUp) return
        this.#note(`mark ${name} dirty`)
        this.#spawn('dirty', member.consensus.setDirty(true))
    }
  }

  /** One change by this member, chosen now and answered some time. */
  #write (member: SimMember, cids: number): void {
    if (!member.isUp) return
    const dice = this.#dice
    const number = dice.between(1, cids)
    const kind = dice.weighted(['pin', 6], ['unpin', 3], ['update', 1])
    const from = dice.between(1, cids)
    const factors = dice.chance(0.3) ? { replicationFactorMin: 1, replicationFactorMax: dice.between(1, 3) } : {}
    this.#spawn(kind, this.#change(member, number, kind, kind === 'update' ? { pinUpdate: testCid(from) } : kind === 'pin' ? factors : {}))
  }

  /** Many changes one after the other, each a delta of its own. */
  async #burst (member: SimMember, count: number): Promise<void> {
    if (!member.isUp) return
    const { life } = member
    this.#note(`burst of ${count} by ${member.name}`)
    const first = 1000 + this.#dice.below(5) * 100
    for (let number = first; number < first + count && member.isUp && member.life === life; number++) await this.#change(member, number, 'pin', {})
  }

  async #look (member: SimMember, number: number): Promise<void> {
    const { life, peer, disk, name } = member
    const cid = testCid(number)
    const seen = this.#ledger.look(name, cid.toString())
    const value = await valueOf(peer, number)
    if (life.isDead) return
    const wrong = seen(value, disk.mark)
    if (wrong !== undefined) this.#fail(`${name} showed ${value ?? 'nothing'}: ${wrong}`)
  }

  async #change (member: SimMember, number: number, kind: 'pin' | 'update' | 'unpin', options: Partial<PinOptions>): Promise<void> {
    const { life, peer, name } = member
    await this.#look(member, number)
    if (life.isDead) return
    const cid = testCid(number)
    const value = kind === 'unpin' ? undefined : `value ${this.#values++}`
    const operation = this.#ledger.begin(name, cid.toString(), value)
    const text = `${kind} ${value ?? ''} of CID ${number} by ${name} (operation ${operation.id})`
    this.#note(text)
    try {
      if (value === undefined) await peer.unpin(cid)
      else await peer.pin(cid, { ...options, name: value, metadata: { value } })
      if (life.isDead) this.#ledger.doubt(operation)
      else this.#ledger.acknowledge(operation, member.promise)
    } catch (error) {
      if (!life.isDead && error instanceof Error && refusals.has(error.name)) this.#ledger.refuse(operation)
      else this.#ledger.doubt(operation)
      this.#note(`${text}: ${errorText(error)}`)
    }
    if (operation.state === 'acknowledged') this.#note(`acknowledged: operation ${operation.id}`)
  }

  #fail (text: string): void {
    this.#note(`FAILED: ${text}`)
    this.#failures.push(text)
  }

  /** Everything is well again: nobody is down, nothing is cut, slow, full or wrong. Clocks stay as they are. */
  async #heal (): Promise<void> {
    this.#note('all heals')
    Object.assign(this.#weather, calm(), { latency: [1, 50] })
    this.#network.heal()
    for (const { disk, ipfs, life } of this.#members) {
      disk.full = false
      disk.writeTime = 0
      ipfs.fault = 'none'
      life.resume()
    }
    await this.#until('work in flight', () => this.#work.size === 0)
    // What waits in memory for its batch is written.
    if (this.#members.some(({ isBatching }) => isBatching)) await this.#clock.advance(longestBatch)
    for (const member of this.#members) this.#spawn('start', member.start())
    await this.#until('starts', () => this.#work.size === 0 && this.#up().length === this.#members.length)
  }

  /** Waits until everybody has the same pinset, judges it, and waits until every IPFS holds it. */
  async #agree (): Promise<number> {
    const begun = this.#clock.now()
    let pinsets: ReadonlyArray<readonly string[]> = []
    const same = await this.#within(async () => {
      pinsets = await Promise.all(this.#members.map(async ({ peer }) => await linesOf(peer)))
      return pinsets.every((lines) => lines.join('\n') === pinsets[0]?.join('\n')) && this.#members.every(({ consensus }) => consensus.stats().missing === 0)
    })
    const agreedAfter = this.#clock.now() - begun
    if (!same) for (const [index, { name, peer, consensus }] of this.#members.entries()) this.#fail(`no agreement: ${name} has ${peer.pinCount()} pins, ${JSON.stringify(consensus.stats())}, not as the first: ${(pinsets[index] ?? []).filter((line) => pinsets[0]?.includes(line) !== true).slice(0, 3).join('; ')}`)
    for (const [index, member] of this.#members.entries()) {
      const values = new Map<string, string>()
      for await (const pin of member.peer.pins()) {
        values.set(pin.cid.toString(), pin.name)
        // An update keeps the metadata of what it copies.
        if (pin.pinUpdate === undefined && pin.metadata['value'] !== pin.name) this.#fail(`${member.name} mixes options: ${pin.name}, ${JSON.stringify(pin.metadata)}`)
      }
      if (values.size !== member.peer.pinCount()) this.#fail(`${member.name} counts ${member.peer.pinCount()} of ${values.size} pins`)
      if (index === 0) this.#pins = values.size
      for (const wrong of this.#ledger.judgeAll(values)) this.#fail(`${member.name} in the end: ${wrong}`)
    }
    if (this.#failures.length === 0) await this.#hold()
    return agreedAfter
  }

  async #hold (): Promise<void> {
    for (const member of this.#members) {
      const missing = async (): Promise<readonly string[]> => {
        const held = new Set<string>()
        for await (const { cid } of member.ipfs.pins()) held.add(cid.toString())
        const lacking: string[] = []
        for await (const { cid, allocations } of member.peer.pins()) if (!held.has(cid.toString()) && (allocations.length === 0 || allocations.some((peer) => peer.equals(member.id)))) lacking.push(cid.toString())
        return lacking
      }
      if (!await this.#within(async () => (await missing()).length === 0)) { const lacking = await missing(); this.#fail(`the IPFS of ${member.name} lacks ${lacking.length} pins, among them ${lacking.slice(0, 3).join(', ')}`) }
    }
  }

  /** Stops everything; what does not end is a failure, too. */
  async #end (): Promise<void> {
    const stopping = Promise.allSettled(this.#members.map(async (member) => { member.life.resume(); member.ipfs.fault = 'none'; await member.stop(); await member.buried() }))
    let stopped = false
    this.#spawn('end', stopping.then(() => { stopped = true }))
    if (!await this.#within(async () => stopped && this.#work.size === 0)) this.#fail('the members do not stop')
  }

  async #until (what: string, check: () => boolean): Promise<void> {
    if (!await this.#within(async () => check())) throw new Error(`${what}: not done within ${patience / 60_000} min`)
  }

  /** Lets time pass until the check holds; false when it does not in time. */
  async #within (check: () => Promise<boolean>): Promise<boolean> {
    const end = this.#clock.now() + patience
    for (;;) {
      await settle()
      if (await check()) return true
      if (this.#clock.now() >= end) return false
      await this.#clock.advance(1_000)
    }
  }
}

const start = new ManualClock().now()

async function valueOf (peer: Peer, number: number): Promise<string | undefined> {
  try {
    return (await peer.pinGet(testCid(number))).name
  } catch (error) {
    if (error instanceof Error && error.name === 'PinNotFoundError') return undefined
    throw error
  }
}

async function linesOf (peer: Peer): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const chunk of peer.pinLines()) for (const line of chunk) lines.push(new TextDecoder().decode(line))
  return lines
}
