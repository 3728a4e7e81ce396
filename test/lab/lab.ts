/**
 * The laboratory: builds network, members, modems, client and oracles, and runs trials. A trial begins and ends with
 * everything well; between lie one fault, what the oracles saw of it, and its repair.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../system/appliance.ts'
import type { Fault, LabSetting, MemberName, MessageAccount, TrialReport, Window } from './contract.ts'
import { memberNames } from './contract.ts'
import { type Box, faultPlan, type Scene } from './faults.ts'
import { Holdings, monotonic } from './holdings.ts'
import { KeepalivedBox } from './keepalived.ts'
import { Lateness, load, residentMB, WireCounters } from './measures.ts'
import { HTTP_PORT, Member, WitnessProcess } from './member.ts'
import { addressOf, asksOnly, buildNetwork, spawnAt, VIP } from './network.ts'
import { Phones } from './phones.ts'
import { Prober, RESPONDER_PORT } from './prober-link.ts'
import { spin } from './processes.ts'

/** What is well must stay so for as long before a trial begins. */
const CALM_MS = 300
const SETTLES_WITHIN_MS = 20_000
const MENDS_WITHIN_MS = 60_000
/** Faults at which nothing moves are watched so long. */
const WATCH_MS = 3_000
const POST_EVERY_MS = 200

export class Laboratory {
  readonly setting: LabSetting
  readonly holdings = new Holdings()
  readonly phones = new Phones()
  readonly #progress: (line: string) => void
  readonly #responders: ChildProcess[] = []
  #prober: Prober | undefined
  #token = ''
  #witness: WitnessProcess | undefined
  boxes: (Member | KeepalivedBox)[] = []

  constructor(setting: LabSetting, progress: (line: string) => void) {
    this.setting = setting
    this.#progress = progress
  }

  get members(): Member[] {
    return this.boxes.filter((box) => box instanceof Member)
  }

  member(name: MemberName): Member {
    const found = this.members.find((one) => one.name === name)
    if (!found) throw new Error(`there is no member ${name}`)
    return found
  }

  async open(): Promise<void> {
    buildNetwork()
    const [prober] = await Promise.all([
      Prober.start(),
      ...memberNames.map((name) => this.holdings.watch(name)),
      ...memberNames.map((name) => this.#respond(name)),
    ])
    this.#prober = prober
    if (this.setting.system === 'keepalived') {
      this.boxes = (['a', 'b'] as const).map(
        (name) => new KeepalivedBox(name, this.setting.directory, this.setting.advert ?? 0.1),
      )
      await Promise.all(this.boxes.map((box) => box.start()))
    } else {
      if (this.setting.witness) {
        this.#witness = new WitnessProcess(this.setting.directory)
        this.#witness.start()
      }
      await this.#formPair()
    }
    await this.#untilWell()
  }

  async #respond(host: MemberName): Promise<void> {
    const responder = join(import.meta.dirname, 'responder.ts')
    const child = spawnAt(host, [process.execPath, responder, host, String(RESPONDER_PORT)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#responders.push(child)
    await once(child, 'message', { signal: AbortSignal.timeout(20_000) })
  }

  /** The first box begins alone; the others are invited one by one. */
  async #formPair(): Promise<void> {
    const [name = 'a', ...others] = this.setting.members
    const first = await this.#addMember(name)
    await first.start()
    await until(async () => (await first.status())?.role === 'single', `${name} is single`)
    const tokens = await first.call('POST', '/api/v1/tokens', { name: 'lab', scopes: ['send', 'read'] })
    this.#token = String(tokens.body['token'])
    for (const other of others) await this.#join(other)
  }

  async #addMember(name: MemberName): Promise<Member> {
    const { directory, network = '100-200' } = this.setting
    const modem = await this.phones.modem(name, directory, network)
    const member = new Member(name, this.setting, modem)
    this.boxes.push(member)
    return member
  }

  /** Starts a further box and joins it to the pair that runs. */
  async #join(name: MemberName): Promise<void> {
    const first = this.members[0]
    const joiner = await this.#addMember(name)
    await joiner.start()
    const code = await first?.command('pair', 'invite')
    await joiner.command('pair', 'join', code ?? '')
  }

  /** @returns why not everything is well; undefined when it is */
  async #unwell(): Promise<string | undefined> {
    const dead = this.boxes.find(({ running }) => !running)
    if (dead) return `${dead.name} does not run`
    if (this.setting.system === 'keepalived') {
      // With its defaults the higher priority takes back.
      const holders = this.holdings.holders()
      return holders.join() === 'a' ? undefined : `held by ${holders.join(' and ') || 'nobody'}`
    }
    const states = await Promise.all(
      this.members.map(async (member) => ({ name: member.name, status: await member.status() })),
    )
    const roles = states.map(({ name, status }) => `${name} ${status?.role ?? 'silent'}`).join(', ')
    const active = states.filter(({ status }) => status?.role === 'active')
    const standby = states.filter(({ status }) => status?.role === 'standby')
    if (active.length !== 1 || standby.length !== states.length - 1) return roles
    const holders = this.holdings.holders()
    const expected = this.setting.driver === 'external' ? '' : active[0]?.name
    if (this.setting.driver !== 'nft' && holders.join() !== expected) {
      return `${roles}; held by ${holders.join(' and ') || 'nobody'}`
    }
    for (const { name, status } of states) {
      const others = states.length - 1
      const live = status?.members.filter(({ signal }) => signal === 'LIVE').length ?? 0
      const current =
        status?.members.filter(({ replication }) => replication?.state === 'current').length ?? 0
      if (live !== others || current !== others) {
        return `${roles}; ${name} sees ${live} of ${others} live, ${current} current`
      }
    }
    return undefined
  }

  async #untilWell(): Promise<void> {
    const deadline = performance.now() + MENDS_WITHIN_MS
    let since: number | undefined
    for (;;) {
      const why = await this.#unwell()
      const now = performance.now()
      if (why !== undefined) since = undefined
      else since ??= now
      if (since !== undefined && now - since >= CALM_MS) return
      if (now > deadline) throw new Error(`not well within ${MENDS_WITHIN_MS} ms: ${why}\n${this.#logs()}`)
      await pause(50)
    }
  }

  #logs(): string {
    return this.members.map((member) => `--- ${member.name}\n${member.log().slice(-6_000)}`).join('\n')
  }

  get #running(): Prober {
    if (!this.#prober) throw new Error('the laboratory is not open')
    return this.#prober
  }

  /** Who holds the address; where the address itself does not tell, who says that it is active. */
  async #holders(): Promise<MemberName[]> {
    if (this.setting.driver === 'iproute2') return this.holdings.holders()
    const states = await Promise.all(
      this.members.map(async (member) => ({ name: member.name, status: await member.status() })),
    )
    return states.filter(({ status }) => status?.role === 'active').map(({ name }) => name)
  }

  async #activeBox(): Promise<Box> {
    const [holder] = await this.#holders()
    const found = this.boxes.find(({ name }) => name === holder)
    if (!found) throw new Error('nobody is active')
    return found
  }

  async trial(fault: Fault, watchMs = WATCH_MS): Promise<TrialReport> {
    const prober = this.#running
    await this.#untilWell()
    const active = await this.#activeBox()
    const standby = this.boxes.find((box) => box !== active)
    if (!standby) throw new Error('there is no standby')
    const witness = this.#witness
    const scene: Scene = {
      active,
      standby,
      all: this.boxes,
      ...(witness ? { witness } : {}),
      join: () => this.#join('d'),
    }
    const plan = faultPlan(fault, this.setting.witness)
    const remarks: string[] = []
    this.#progress(`${fault}: ${active.name} is active`)
    const nft = this.setting.driver === 'nft'
    prober.begin({
      addresses: this.setting.driver === 'external' ? this.boxes.map(({ name }) => addressOf[name]) : [VIP],
      ...(nft ? { each: [asksOnly.a, asksOnly.b] } : {}),
      ...(this.setting.system === 'twinline'
        ? { gateway: { port: HTTP_PORT, token: this.#token, postEveryMs: POST_EVERY_MS } }
        : {}),
    })
    await until(() => this.#answered(), 'the client is served', SETTLES_WITHIN_MS)
    await pause(CALM_MS)

    const at = monotonic()
    await plan.apply(scene)
    const settled = plan.address === 'moves' ? () => this.#moved(active.name, at) : undefined
    if (settled) {
      await until(settled, fault, SETTLES_WITHIN_MS).catch(() => {
        remarks.push(`the address did not come to another member within ${SETTLES_WITHIN_MS} ms`)
      })
      await pause(CALM_MS)
    } else await pause(watchMs)
    const after = await this.#holders()
    const mending = monotonic()
    await plan.repair(scene)
    await this.#untilWell()
    await until(() => this.#answered(), 'the client is served again', MENDS_WITHIN_MS)
    const well = monotonic()
    await prober.end()

    const other = prober.otherAnswer(active.name, at)
    const holder = after.find((name) => name !== active.name)
    const got = holder && this.holdings.between(at, well).find(({ host }) => host === holder)?.from
    const sent = holder && got !== undefined ? this.phones.firstSending(holder, got) : undefined
    return {
      fault,
      active: active.name,
      after,
      ...(other === undefined || other > mending ? {} : { otherAnswers: other - at }),
      during: this.#window(at, mending),
      repair: this.#window(mending, well),
      ...(sent === undefined || got === undefined ? {} : { firstSending: sent - got }),
      messages: await this.#account(at, mending),
      remarks,
    }
  }

  /** Has the client had answers from everybody it asks within the last moment? */
  #answered(): boolean {
    const prober = this.#running
    const recently = monotonic() - 150
    if ((prober.lastAnswer()?.at ?? 0) < recently) return false
    return this.setting.system === 'keepalived' || (prober.lastActive() ?? 0) >= recently
  }

  /** Does another box answer, and its gateway as well? */
  #moved(from: string, at: number): boolean {
    const prober = this.#running
    const other = prober.otherAnswer(from, at)
    if (other === undefined || prober.lastAnswer()?.name === from) return false
    return this.setting.system === 'keepalived' || prober.activeSince(other) >= 5
  }

  #window(from: number, to: number): Window {
    const prober = this.#running
    return {
      addressGap: prober.addressGap(from, to),
      outage: prober.outage(from, to),
      keptOutage: prober.keptOutage(from, to),
      // With the nft driver the address stays configured and the packet filter speaks.
      overlap: (this.setting.driver === 'nft' ? prober : this.holdings).overlap(from, to),
      moves: this.holdings.moves(from, to),
    }
  }

  /** Waits until every accepted message has reached a phone or is taken for lost. */
  async #account(at: number, mending: number): Promise<MessageAccount> {
    const posts = this.#running.posts
    const accepted = posts.filter(({ acceptedAt }) => acceptedAt !== undefined)
    await until(
      () => accepted.every(({ to }) => this.phones.copies(to) > 0),
      'every message reached its phone',
      MENDS_WITHIN_MS / 2,
    ).catch(() => undefined)
    const account: MessageAccount = {
      accepted: accepted.length,
      acceptedDuring: accepted.filter(({ acceptedAt = 0 }) => acceptedAt >= at && acceptedAt < mending)
        .length,
      unaccepted: posts.length - accepted.length,
      lost: 0,
      duplicates: 0,
      unflagged: 0,
    }
    for (const { to, id } of accepted) {
      const copies = this.phones.copies(to)
      if (copies === 0) account.lost++
      if (copies <= 1) continue
      account.duplicates += copies - 1
      if (!(await this.#flagged(id ?? ''))) account.unflagged++
    }
    return account
  }

  async #flagged(id: string): Promise<boolean> {
    // Each member holds every message, whoever is active by now.
    const answers = await Promise.all(
      this.members.map((member) => member.call('GET', `/api/v1/messages/${id}`)),
    )
    return answers.some(({ body }) => {
      const deliveries: unknown = body['deliveries']
      const [delivery] = Array.isArray(deliveries) ? deliveries : []
      return delivery?.possibleDuplicate === true
    })
  }

  /** Figures of a pair that is well; see measures.ts. */
  async measure(what: 'accept' | 'traffic' | 'guard', seconds: number): Promise<Record<string, number>> {
    await this.#untilWell()
    const active = this.member((await this.#activeBox()).name)
    if (what === 'traffic') {
      const counters = new WireCounters()
      await pause(seconds * 1_000)
      return counters.read()
    }
    for (const member of this.members) await member.call('POST', '/api/v1/lines/gsm0/disable')
    const order = { connections: 64, withinMs: seconds * 1_000 }
    if (what === 'accept') {
      await load(this.#token, { ...order, count: 2_000 })
      return { ...(await load(this.#token, { ...order, count: 1_000_000 })) }
    }
    await load(this.#token, { ...order, count: 20_000 })
    await this.#untilWell()
    const stop = spin(2)
    try {
      const lateness = await Lateness.start(active)
      // The third member gets a snapshot of all that.
      const joined = this.#join('d').then(() => true)
      await Promise.all([pause(seconds * 1_000), joined])
      const profile = (await active.status())?.profile
      const late = await lateness.end(profile?.interval ?? 0)
      return { ...late, residentMB: residentMB(active.guard) }
    } finally {
      stop()
    }
  }
}
