/** One seed with real processes: peers of ours (and Go's, where they are installed) behind links, a schedule of work and faults, the judgement. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome } from '../outcome.ts'
import { testCid } from '../../contract/values.ts'
import { goPresent, newSecret } from '../../interop/programs.ts'
import { Ledger } from '../ledger.ts'
import { Dice } from '../simulation/scenario.ts'
import type { KuboFault } from './faulty-kubo.ts'
import type { LinkState } from './link.ts'
import { ProcMember } from './proc-member.ts'
import { nameOf, pin, pinset, unpin, type Listed } from './rest.ts'

/** Ms in which healed members must agree, and every kubo hold its pins. */
const patience = 240_000
/** What Go acknowledged may be lost when it is killed. */
const fragile = Infinity

export const runProcesses = async (seed: number): Promise<Outcome> => await new ProcessRun(seed).run()

const sleep = async (ms: number): Promise<void> => { await new Promise((resolve) => { setTimeout(resolve, ms) }) }

class ProcessRun {
  readonly #seed: number
  readonly #dice: Dice
  readonly #ledger = new Ledger()
  readonly #members: ProcMember[] = []
  readonly #work = new Set<Promise<void>>()
  readonly #trace: string[] = []
  readonly #failures: string[] = []
  readonly #begun = performance.now()
  readonly #count: number
  readonly #goes: number
  readonly #steps: number
  readonly #cids: number
  #values = 0
  #pins = 0

  constructor (seed: number) {
    this.#seed = seed
    this.#dice = new Dice(seed)
    this.#count = this.#dice.between(2, 3)
    this.#goes = this.#dice.chance(0.4) && goPresent ? 1 : 0
    this.#steps = this.#dice.between(30, 60)
    this.#cids = this.#dice.of([3, 10, 50])
  }

  async run (): Promise<Outcome> {
    let agreedAfter = Number.NaN
    try {
      await this.#open()
      for (let step = 0; step < this.#steps && this.#failures.length === 0; step++) {
        await this.#step()
        await sleep(this.#dice.of([0, 100, 300, 700, 1_500]))
      }
      await this.#heal()
      agreedAfter = await this.#agree()
    } catch (error) {
      this.#fail(error instanceof Error ? error.stack ?? error.message : String(error))
    }
    if (this.#failures.length > 0) await this.#keepLogs()
    await this.#close()
    const { operations } = this.#ledger
    const disks = this.#members.filter(({ disk }) => disk !== undefined).length
    return {
      failures: this.#failures, trace: this.#trace, agreedAfter, operations: operations.length, pins: this.#pins,
      acknowledged: operations.filter(({ state }) => state === 'acknowledged').length,
      text: `${this.#count} peers of ours${this.#goes > 0 ? ` and ${this.#goes} of Go` : ''}, ${this.#steps} steps, ${this.#cids} CIDs, ${disks} small disks`
    }
  }

  #note (text: string): void { this.#trace.push(`${((performance.now() - this.#begun) / 1000).toFixed(3)} ${text}`) }

  #fail (text: string): void {
    this.#note(`FAILED: ${text}`)
    this.#failures.push(text)
  }

  #spawn (what: string, work: Promise<void>): void {
    const task = work.catch((error: unknown) => { this.#fail(`${what}: ${String(error)}`) }).finally(() => { this.#work.delete(task) })
    this.#work.add(task)
  }

  async #open (): Promise<void> {
    const secret = newSecret()
    const random = new Dice(this.#seed + 0x10000).number
    const wanted = Array.from({ length: this.#count + this.#goes }, (_, index) => ({ go: index >= this.#count, smallDisk: index < this.#count && this.#dice.chance(0.5) }))
    this.#members.push(...await Promise.all(wanted.map(async ({ go, smallDisk }, index) => await ProcMember.create({ name: `${go ? 'go' : 'ours'}-${index + 1}`, secret, go, smallDisk, random }))))
    // Only a Go peer that runs tells who it is.
    await Promise.all(this.#members.map(async (member) => { if (member.isGo) await this.#bringUp(member) }))
    for (const member of this.#members) await member.linkTo(this.#members)
    await Promise.all(this.#members.map(async (member) => { await this.#bringUp(member) }))
  }

  async #bringUp (member: ProcMember): Promise<void> {
    if (!await within(patience, async () => { member.start(); return await member.isThere() })) throw new Error(`${member.name} does not start: ${member.log().slice(-2_000)}`)
  }

  async #step (): Promise<void> {
    const dice = this.#dice
    const member = dice.of(this.#members)
    const { name } = member
    const action = dice.weighted(['write', 12], ['read', 3], ['kill', 2], ['stop', 0.5], ['skew', 1], ['start', 5], ['pause', 1], ['resume', 3], ['link', 4], ['join', 1], ['disk', 2], ['kubo', 2])
    switch (action) {
      case 'write':
        for (let left = dice.between(1, 25); left > 0; left--) this.#write(dice.chance(0.5) ? member : dice.of(this.#members))
        return
      case 'read':
        if (member.isUp) this.#spawn('read', this.#look(member, testCid(dice.between(1, this.#cids)).toString()).then(() => {}))
        return
      case 'kill':
        await this.#kill(member)
        return
      case 'stop':
        if (!member.isUp) return
        this.#note(`stop ${name}`)
        await member.stop()
        return
      case 'skew':
        if (member.isGo) return
        await this.#kill(member)
        member.skew = dice.of([0, -600_000, 900_000, 86_400_000, -86_400_000])
        this.#note(`start ${name} with a wrong clock`)
        member.start()
        return
      case 'start':
        if (member.isUp) return
        this.#note(`start ${name}`)
        member.start()
        return
      case 'pause': case 'resume':
        if (member.isGo) return
        this.#note(`${action} ${name}`)
        member[action]()
        return
      case 'link': {
        const [from, link] = dice.of([...member.links])
        link.state = dice.of<LinkState>(['open', 'cut', 'cut', 'silent'])
        link.delay = dice.of([0, 0, 30, 500])
        link.bandwidth = dice.of([Infinity, Infinity, 100_000, 5_000])
        this.#note(`link ${from} - ${name}: ${link.state}, ${link.delay} ms, ${link.bandwidth} bytes/s`)
        return
      }
      case 'join':
        this.#note('links are well')
        this.#mendLinks()
        return
      case 'disk':
        if (member.disk === undefined) return
        await (dice.chance(0.35) ? member.disk.fill() : member.disk.free())
        this.#note(`disk of ${name} filled or freed`)
        return
      case 'kubo':
        member.kubo.fault = dice.of<KuboFault>(['none', 'none', 'hangs', 'slow', 'fails', 'lies'])
        this.#note(`kubo of ${name}: ${member.kubo.fault}`)
    }
  }

  async #kill (member: ProcMember): Promise<void> {
    if (!member.isUp) return
    this.#note(`kill ${member.name}`)
    await member.stop('SIGKILL')
    if (member.isGo) this.#ledger.lose(member.name, 0)
  }

  #write (member: ProcMember): void {
    if (!member.isUp) return
    const cid = testCid(this.#dice.between(1, this.#cids)).toString()
    this.#spawn('change', this.#change(member, cid, this.#dice.chance(0.7) ? 'pin' : 'unpin'))
  }

  /** A read by REST, checked. False: no answer. */
  async #look (member: ProcMember, cid: string): Promise<boolean> {
    const seen = this.#ledger.look(member.name, cid)
    const answer = await nameOf(member.base, cid)
    if (answer.said === 'unknown') return false
    const name = answer.said === 'done' ? answer.name : undefined
    const wrong = seen(name, member.isGo ? 1 : 0)
    if (wrong !== undefined) this.#fail(`${member.name} showed ${name ?? 'nothing'}: ${wrong}`)
    return true
  }

  async #change (member: ProcMember, cid: string, kind: 'pin' | 'unpin'): Promise<void> {
    if (!await this.#look(member, cid)) return
    const value = kind === 'unpin' ? undefined : `value ${this.#values++}`
    const operation = this.#ledger.begin(member.name, cid, value)
    const text = `${kind} ${value ?? ''} of ${cid.slice(-4)} by ${member.name} (operation ${operation.id})`
    this.#note(text)
    const said = value === undefined ? await unpin(member.base, cid) : await pin(member.base, cid, value)
    if (said === 'done') this.#ledger.acknowledge(operation, member.isGo ? fragile : 0)
    else if (said === 'absent' && value === undefined) this.#ledger.refuse(operation)
    else this.#ledger.doubt(operation)
    this.#note(`${text}: ${operation.state}`)
  }

  #mendLinks (): void {
    for (const { links } of this.#members) for (const link of links.values()) Object.assign(link, { state: 'open', delay: 0, bandwidth: Infinity })
  }

  async #heal (): Promise<void> {
    this.#note('all heals')
    this.#mendLinks()
    for (const member of this.#members) {
      member.resume()
      member.kubo.fault = 'none'
      await member.disk?.free()
    }
    while (this.#work.size > 0) await Promise.all(this.#work)
    await Promise.all(this.#members.map(async (member) => { await this.#bringUp(member) }))
    this.#note('everybody answers')
  }

  async #agree (): Promise<number> {
    const begun = performance.now()
    let pinsets: ReadonlyArray<readonly Listed[] | undefined> = []
    const texts = (pins: readonly Listed[] | undefined): string => pins === undefined ? 'no answer' : pins.map(({ text }) => text).join('\n')
    const same = await within(patience, async () => {
      pinsets = await Promise.all(this.#members.map(async ({ base }) => await pinset(base)))
      return pinsets[0] !== undefined && new Set(pinsets.map(texts)).size === 1
    })
    const agreedAfter = performance.now() - begun
    if (!same) this.#fail('no agreement')
    for (const [index, { name }] of this.#members.entries()) {
      const pins = pinsets[index]
      if (!same) this.#note(`${name} in the end: ${pins?.length ?? 'no'} pins\n${texts(pins)}`)
      if (pins === undefined) continue
      this.#pins = pins.length
      for (const wrong of this.#ledger.judgeAll(new Map(pins.map((one) => [one.cid, one.name])))) this.#fail(`${name} in the end: ${wrong}`)
    }
    if (this.#failures.length === 0) await this.#hold(pinsets[0] ?? [])
    return agreedAfter
  }

  async #hold (pins: readonly Listed[]): Promise<void> {
    for (const { name, kubo } of this.#members) {
      let lacking: readonly Listed[] = []
      const holds = await within(patience, async () => {
        const held = await kubo.pins()
        lacking = pins.filter(({ cid }) => !held.has(cid))
        return lacking.length === 0
      })
      if (!holds) this.#fail(`the kubo of ${name} lacks ${lacking.length} pins, among them ${lacking.slice(0, 3).map(({ cid }) => cid).join(', ')}`)
    }
  }

  async #keepLogs (): Promise<void> {
    const folder = join(import.meta.dirname, '../../../test-results')
    await mkdir(folder, { recursive: true })
    for (const member of this.#members) {
      const file = join(folder, `chaos-${this.#seed}-${member.name}.log`)
      await writeFile(file, member.log())
      this.#note(`its log: ${file}`)
    }
  }

  async #close (): Promise<void> {
    await Promise.all(this.#members.map(async (member) => {
      member.kubo.fault = 'none'
      await member.remove()
    }))
  }
}

/** False when the check does not hold in time. */
async function within (ms: number, check: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + ms
  for (;;) {
    if (await check()) return true
    if (performance.now() >= end) return false
    await sleep(250)
  }
}
