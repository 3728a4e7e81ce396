/** The `pair:` section: its keys, their defaults and what each may be. An appliance without it stands alone. */
import { pairModes } from '#messages/operation.ts'
import { profileNamed, profileNames, readProfile } from './heartbeat.ts'
import { parseAddress, parseNetwork, parseVirtualAddress } from './networks.ts'
import { quoted, type Section } from './section.ts'
import type { AllowLists, HeartbeatProfile, Listen, PairConfig, VirtualIp } from './types.ts'
import { everyInterface, matching, parseListen, parseNodeName, parseReachable } from './values.ts'

const second = 1_000
const minute = 60 * second

export const pairDefaults = {
  priority: 100,
  profile: 'normal',
  mode: 'active-standby',
  switchover: 'automatic',
  driver: 'iproute2',
  accept: { wait: 500, oneDisk: 'accept' },
  aloneAfter: 30 * second,
  selfCheck: 2 * second,
} as const

/** Members reach a box by one or a few networks; each path costs a connection. */
const MOST_PATHS = 8

/**
 * What is wrong is reported to the section's source.
 * @param others where else this appliance listens
 */
export function readPair(
  root: Section,
  others: readonly ({ listen: Listen } | undefined)[],
): PairConfig | undefined {
  const section = root.section('pair')
  if (!root.has('pair')) return undefined
  section.required('listen')
  const listen = section.parsed('listen', parseListen) ?? { host: 'localhost', port: 0 }
  const logListen = readLogListen(section, listen)
  checkPorts(section, listen, logListen, others)
  const vip = readVirtualIp(section)
  const master = section.parsed('master', parseNodeName)
  const witness = section.parsed('witness', parseReachable)
  const lan = readLan(section)
  const accept = section.section('accept')
  const pair: PairConfig = {
    listen,
    logListen,
    advertise: readAdvertise(section, listen, vip),
    priority: section.whole('priority', pairDefaults.priority, { min: 1, max: 255 }),
    profile: readHeartbeat(section, vip?.driver),
    mode: section.choice('mode', pairModes) ?? pairDefaults.mode,
    allow: readAllow(section.section('allow')),
    preempt: section.flag('preempt', false),
    switchover: section.choice('switchover', ['automatic', 'manual']) ?? pairDefaults.switchover,
    accept: {
      wait: accept.duration('wait', pairDefaults.accept.wait, { min: 0, max: 30 * second }),
      oneDisk: accept.choice('oneDisk', ['accept', 'refuse']) ?? pairDefaults.accept.oneDisk,
    },
    aloneAfter: section.duration('aloneAfter', pairDefaults.aloneAfter, { min: second, max: 60 * minute }),
    selfCheck: section.duration('selfCheck', pairDefaults.selfCheck, { min: 500, max: minute }),
    redirect: section.flag('redirect', false),
    ...(master === undefined ? {} : { master }),
    ...(vip === undefined ? {} : { vip }),
    ...(lan === undefined ? {} : { lan }),
    ...(witness === undefined ? {} : { witness }),
  }
  accept.finish()
  section.finish()
  return pair
}

/** The port after the guard's, where nothing is said; the system's choice where `listen` leaves it to the system. */
function readLogListen(section: Section, { host, port }: Listen): Listen {
  const given = section.parsed('logListen', parseListen)
  if (given !== undefined) return given
  if (port === 65_535) section.problem('listen', 'no port comes after 65535: give logListen, or another port')
  return { host, port: port === 0 ? 0 : Math.min(port + 1, 65_535) }
}

function checkPorts(
  section: Section,
  listen: Listen,
  logListen: Listen,
  others: readonly ({ listen: Listen } | undefined)[],
): void {
  const meets = (a: Listen, b: Listen) =>
    a.port !== 0 && a.port === b.port && (a.host === b.host || everyInterface(a) || everyInterface(b))
  const logKey = section.has('logListen') ? 'logListen' : 'listen'
  if (section.has('logListen') && meets(listen, logListen)) {
    section.problem('logListen', 'must be another port than listen')
  }
  for (const other of others) {
    if (other === undefined) continue
    if (meets(listen, other.listen)) section.problem('listen', 'http or https already listens there')
    if (meets(logListen, other.listen)) {
      section.problem(logKey, `http or https already listens at port ${logListen.port}, where the log would`)
    }
  }
}

function readAdvertise(section: Section, listen: Listen, vip: VirtualIp | undefined): Listen[] {
  const words = section.words('advertise')
  if (words.length === 0 && everyInterface(listen)) {
    section.problem(
      'advertise',
      'is missing: listen is every address of this box, so say at which the other members reach it, such as [10.77.0.1:8883]',
    )
  }
  if (words.length > MOST_PATHS) section.problem('advertise', `may have at most ${MOST_PATHS} entries`)
  const paths = words.flatMap(({ word, problem }) => {
    const read = parseReachable(word)
    if ('allowed' in read) problem(`${quoted(word)} is not allowed here; ${read.allowed}`)
    else if (read.value.host === vip?.address) {
      problem('is the virtual address, which moves; give an address that stays with this box')
    } else return [read.value]
    return []
  })
  return words.length === 0 ? [listen] : paths
}

function readHeartbeat(section: Section, driver: VirtualIp['driver'] | undefined): HeartbeatProfile {
  if (section.holdsSection('profile')) return readProfile(section.section('profile'), driver)
  return profileNamed(section.choice('profile', profileNames) ?? pairDefaults.profile, driver)
}

function readAllow(section: Section): AllowLists {
  const allow: AllowLists = {}
  for (const key of ['send', 'configure', 'sync'] as const) {
    const words = section.words(key)
    if (!section.has(key)) continue
    if (words.length === 0)
      section.problem(key, 'must name at least one network; without the key everybody is allowed')
    allow[key] = words.flatMap(({ word, problem }) => {
      const read = parseNetwork(word)
      if ('value' in read) return [read.value]
      problem(`${quoted(word)} is not allowed here; ${read.allowed}`)
      return []
    })
  }
  section.finish()
  return allow
}

function readVirtualIp(root: Section): VirtualIp | undefined {
  const section = root.section('vip')
  if (!root.has('vip')) return undefined
  const driver = section.choice('driver', ['iproute2', 'nft', 'external', 'none']) ?? pairDefaults.driver
  if (driver !== 'none') section.required('address')
  if (driver === 'iproute2' || driver === 'nft') section.required('interface')
  const address = section.parsed('address', parseVirtualAddress)
  // What the kernel takes (15 bytes), less what a program would read as an option, a path or an alias.
  const device = section.parsed(
    'interface',
    matching(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$/, 'write the name of a network interface, such as eth0'),
  )
  section.finish()
  if (driver === 'none' || address === undefined) return undefined
  return { ...address, interface: device ?? '', driver }
}

function readLan(root: Section): { router: string } | undefined {
  const section = root.section('lan')
  if (root.has('lan')) section.required('router')
  const router = section.parsed('router', parseAddress)
  section.finish()
  return router === undefined ? undefined : { router }
}
