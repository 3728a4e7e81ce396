/**
 * Pulling the plug: kill -9 at random moments while multi-part messages go out over several lines, again and again, and
 * then the account: what was accepted, what the phones got, which copies were flagged.
 *
 * The modems live in this process and go on living, as real ones do. The truth is what the simulated network received.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { type Served, servePty, serveTcp } from '#simulator/serve.ts'
import { type RunningAppliance, startAppliance, until } from './appliance.ts'

export interface CrashPlan {
  directory: string
  kills: number
  lines: number
  pty: boolean
  /** Draws numbers in 0..1; a seeded one makes a run repeatable as far as processes are. */
  random: () => number
}

export interface CrashAccount {
  kills: number
  accepted: number
  /** Accepted, but some part never reached the phone. */
  lost: number
  /** Copies of parts that the phones got more than once. */
  duplicateParts: number
  /** Messages of which some part came twice. */
  duplicated: number
  /** Those of them that are not flagged as possible duplicates: must be 0. */
  unflagged: number
  flagged: number
  violations: number
  /** Deliveries that did not end `sent`. */
  unfinished: number
}

const PARTS_TEXT = 'The pump has stopped and the level is rising. '.repeat(9)

export async function crashAgainAndAgain(plan: CrashPlan): Promise<CrashAccount> {
  const network = new SimulatedNetwork()
  const served: Served[] = []
  const modems: SimulatedModem[] = []
  const accepted = new Map<string, string>()
  let appliance: RunningAppliance | undefined
  try {
    for (let line = 0; line < plan.lines; line++) {
      const options = parseModemOptions({ network: '20-120', prompt: '0-10', reports: 'none' }, line)
      if (isProblem(options)) throw new Error(options.problem)
      const modem = new SimulatedModem(options, undefined, network, `line${line}`)
      modems.push(modem)
      served.push(
        plan.pty ? await servePty(modem, join(plan.directory, `line${line}`)) : await serveTcp(modem),
      )
    }
    const start = () =>
      startAppliance({ directory: join(plan.directory, 'box'), ports: served.map(({ address }) => address) })
    appliance = await start()
    let next = 0
    for (let kill = 0; kill < plan.kills; kill++) {
      const box = appliance
      let alive = true
      const client = (async () => {
        while (alive) {
          const n = next++
          const to = `+4915200${String(n).padStart(6, '0')}`
          const key = { 'idempotency-key': `alert-${n}` }
          const answer = await box
            .call('POST', '/api/v1/messages', { to: [to], text: `${n}: ${PARTS_TEXT}`, validity: '1d' }, key)
            .catch(() => undefined)
          if (answer?.status === 202) accepted.set(to, String(answer.body['id']))
          // A client whose answer never came would ask again with the same key; here it gives up, and nothing is owed to it.
          await pause(120)
        }
      })()
      // Every line must come back, whatever its modem was doing when the box died.
      await box.ready(plan.lines)
      await pause(50 + plan.random() * 900)
      await box.kill('SIGKILL')
      alive = false
      await client
      appliance = await start()
    }
    return await settle(appliance, network, accepted, plan)
  } catch (error) {
    // Whoever reads the failure needs the box's side of it.
    throw new Error(`${error}\n${appliance?.log().slice(-6_000)}`, { cause: error })
  } finally {
    await appliance?.kill('SIGKILL')
    for (const modem of modems) modem.stop()
    for (const one of served) await one.stop()
  }
}

async function settle(
  box: RunningAppliance,
  network: SimulatedNetwork,
  accepted: ReadonlyMap<string, string>,
  plan: CrashPlan,
): Promise<CrashAccount> {
  const look = async (id: string) => {
    const { body } = await box.call('GET', `/api/v1/messages/${id}`)
    const [delivery] = Array.isArray(body['deliveries']) ? body['deliveries'] : []
    return {
      state: String(delivery?.state),
      parts: Number(delivery?.parts),
      flagged: delivery?.possibleDuplicate === true,
    }
  }
  let open = [...accepted.values()]
  await until(
    async () => {
      const states = await Promise.all(open.slice(0, 50).map(look))
      const ended = new Set(open.filter((_, n) => states[n] && states[n].state === 'sent'))
      open = open.filter((id) => !ended.has(id))
      return open.length === 0
    },
    `everything sent (${accepted.size} accepted)`,
    240_000,
  ).catch(() => undefined)

  const account: CrashAccount = {
    kills: plan.kills,
    accepted: accepted.size,
    lost: 0,
    duplicateParts: 0,
    duplicated: 0,
    unflagged: 0,
    flagged: 0,
    violations: network.violations.length,
    unfinished: open.length,
  }
  const byNumber = Map.groupBy(
    network.submissions.filter(({ delivered }) => delivered),
    ({ to }) => to,
  )
  for (const [to, id] of accepted) {
    const { parts, flagged } = await look(id)
    const copies = new Map<number, number>()
    for (const { part } of byNumber.get(to) ?? []) copies.set(part, (copies.get(part) ?? 0) + 1)
    if (copies.size < parts) account.lost += 1
    const extra = [...copies.values()].reduce((sum, count) => sum + count - 1, 0)
    account.duplicateParts += extra
    if (extra > 0) account.duplicated += 1
    if (extra > 0 && !flagged) account.unflagged += 1
    if (flagged) account.flagged += 1
  }
  return account
}
