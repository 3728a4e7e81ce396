/** The page of `twinline pair status`: who is active, who could take over, what is wrong, and what a fault would cost. */
import type * as schemas from '#intake/http/pair-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { localTime, printable, printTable } from './print.ts'

type Status = Shape<typeof schemas.pairStatus>
type Member = Status['members'][number]

/** Members whose clocks differ by more than this confuse whoever reads their logs side by side, ms. */
const SKEW_MS = 2_000

const say = (text: string): void => console.log(printable(text))

export function printPair(status: Status): void {
  const { node, label, term, since, reason, vip, members, witness, profile, promises } = status
  const when = term.counter === 0 ? '' : `, term ${term.counter} of ${term.node}`
  say(`${node}  ${label}  since ${localTime(since)}${when}`)
  say(`because: ${reason}`)
  if (vip !== undefined) {
    const holder = vip.here ? `held by ${node}` : `not held by ${node}${holderOf(status)}`
    // Where it leads is the balancer's business, which asks /role.
    say(
      `address ${vip.address} (${vip.driver})${vip.driver === 'external' ? holderOf(status) : `: ${holder}`}`,
    )
  }
  if (members.length === 0) {
    say(
      status.standing === 'removed'
        ? 'This appliance was removed from its pair: it takes and sends nothing until it joins again (twinline pair join CODE) or goes on alone (twinline pair takeover).'
        : 'No other member. twinline pair invite makes a code for one.',
    )
    return
  }
  console.log('')
  printMembers(members)
  console.log('')
  printPaths(members)
  if (witness !== undefined) {
    say(`witness ${witness.address}: ${witness.state}${span(witness.roundTripMs, ', round trip ')}`)
  }
  for (const warning of warnings(status)) say(`! ${warning}`)
  console.log('')
  say(
    `profile ${profile.name}: a heartbeat every ${millis(profile.interval)}, silent after ${profile.misses} missed, ` +
      `address leased for ${millis(profile.lease)}, ${size(profile.bytesPerHour)} an hour`,
  )
  printTable(
    ['if', 'clients wait at most'],
    promises.map(({ text, outage, bothServe }) => [
      text,
      bothServe ? 'not at all; two serve' : outage === 0 ? 'not at all' : millis(outage),
    ]),
  )
}

const holderOf = ({ active, node }: Status): string =>
  active === undefined || active === node ? '' : ` (${active} is active)`

function printMembers(members: readonly Member[]): void {
  printTable(
    ['member', 'role', 'signal', 'last heard', 'clock', 'lines', 'queued', 'replication'],
    members.map((member) => [
      member.node,
      member.label,
      member.signal ?? 'never heard',
      member.silentMs === undefined ? '' : `${millis(member.silentMs)} ago`,
      member.skewMs === undefined ? '' : clock(member.skewMs),
      member.linesHealthy ?? '',
      member.queued ?? '',
      copy(member),
    ]),
  )
}

function copy({ replication }: Member): string {
  if (replication === undefined) return ''
  const { state, behind } = replication
  const words = { catchingUp: 'catching up', snapshot: 'receiving a whole copy' }
  const name = state === 'catchingUp' || state === 'snapshot' ? words[state] : state
  return behind === 0 ? name : `${name}, ${behind} behind`
}

function printPaths(members: readonly Member[]): void {
  for (const { node, paths } of members) {
    for (const { address, up, roundTripMs } of paths) {
      say(`path to ${node} ${address}: ${up ? 'up' : 'down'}${span(roundTripMs, ', round trip ')}`)
    }
  }
}

/** What a person should look at, worst first. */
function warnings({ role, members, witness, standing, reason }: Status): string[] {
  const found: string[] = []
  if (role === 'error' || role === 'isolated') found.push(`this member cannot serve: ${reason}`)
  if (standing === 'removed') found.push('this member was removed from the pair')
  for (const { node, signal, healthy, paths, skewMs, replication } of members) {
    if (signal === undefined) found.push(`${node} has not been heard since this member started`)
    if (signal === 'DEAD')
      found.push(`${node} is silent: look at its power and network; nobody can take over from it`)
    if (signal === 'LIVE' && healthy === false) found.push(`${node} is not healthy and would not take over`)
    const down = paths.filter(({ up }) => !up)
    if (signal === 'LIVE' && down.length > 0) {
      found.push(`${node} is not reached by ${down.map(({ address }) => address).join(', ')}`)
    }
    if (skewMs !== undefined && Math.abs(skewMs) > SKEW_MS)
      found.push(`the clock of ${node} is ${clock(skewMs)}: check NTP`)
    if (replication?.problem !== undefined)
      found.push(`${node} cannot write what it is sent: ${replication.problem}`)
    if (signal === 'LIVE' && replication?.state === 'lagging') {
      found.push(`${node} lags: messages are accepted on one disk until it has caught up`)
    }
  }
  if (witness !== undefined && witness.state !== 'reachable') {
    found.push(
      `the witness at ${witness.address} is ${witness.state}: after one more fault nobody takes over`,
    )
  }
  return found
}

const span = (ms: number | undefined, before: string): string =>
  ms === undefined ? '' : `${before}${millis(ms)}`

function millis(ms: number): string {
  if (ms < 10 && !Number.isInteger(ms)) return `${ms.toFixed(1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Number((ms / 1_000).toFixed(1))} s`
  return `${Math.round(ms / 60_000)} min`
}

const clock = (ms: number): string =>
  Math.abs(ms) < 1 ? 'same' : `${millis(Math.abs(ms))} ${ms > 0 ? 'ahead' : 'behind'}`

const size = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
