/** How single values of the configuration are written: addresses, ports, sizes, rates, numbers. Pure. */
import { parseDuration } from '#core/duration.ts'
import type { Parsed } from './section.ts'
import type { Listen, PortAddress } from './types.ts'

export function parseListen(text: string): Parsed<Listen> {
  const match = /^(?:\[([0-9A-Fa-f:.%a-z]+)\]|([^:[\]\s/]*)):([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    return {
      allowed: 'write address:port, such as 127.0.0.1:8080, [::1]:8080, or :8080 for every interface',
    }
  }
  const host = match[1] ?? match[2] ?? ''
  return { value: { host: host === '' ? '::' : host, port } }
}

/** Where others can reach something: a host and a port, neither of them left open. */
export function parseReachable(text: string): Parsed<Listen> {
  const read = parseListen(text)
  if ('value' in read && read.value.port > 0 && !everyInterface(read.value)) return read
  return {
    allowed: 'write the host and the port that others reach, such as 10.77.0.1:8883 or [fd00::1]:8883',
  }
}

/** Whether it listens at every address of the machine. */
export const everyInterface = ({ host }: Listen): boolean =>
  host === '0.0.0.0' || /^[0:]+$/.test(host) || host === ''

const portExamples = 'serial:///dev/ttyUSB2?baud=115200, tcp://192.0.2.7:4001 or sim://gsm'

/** @param text an address of a device, as `lines[].port` has it */
export function parsePort(text: string): Parsed<PortAddress> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  switch (url?.protocol) {
    case 'serial:':
      return serialPort(url)
    case 'tcp:':
      return tcpPort(url)
    case 'sim:':
      if (url.hostname !== 'gsm' || url.pathname.length > 1) return { allowed: 'write sim://gsm' }
      return {
        value: {
          scheme: 'sim',
          kind: 'gsm',
          options: Object.fromEntries(url.searchParams),
        },
      }
    default:
      return { allowed: `write ${portExamples}` }
  }
}

function serialPort(url: URL): Parsed<PortAddress> {
  const path = decodeURIComponent(url.pathname)
  if (url.host !== '' || path.length < 2) {
    return {
      allowed: 'write serial:// and the whole path of the device, such as serial:///dev/ttyUSB2',
    }
  }
  const unknown = unknownOption(url, ['baud', 'rtscts'])
  if (unknown !== undefined) return { allowed: unknown }
  const baud = Number(url.searchParams.get('baud') ?? 115_200)
  if (!Number.isInteger(baud) || baud < 300 || baud > 4_000_000) {
    return { allowed: 'baud is a whole number from 300 to 4000000' }
  }
  const rtscts = url.searchParams.get('rtscts') ?? 'false'
  if (rtscts !== 'true' && rtscts !== 'false') return { allowed: 'rtscts is true or false' }
  return { value: { scheme: 'serial', path, baud, rtscts: rtscts === 'true' } }
}

function tcpPort(url: URL): Parsed<PortAddress> {
  const unknown = unknownOption(url, [])
  if (unknown !== undefined) return { allowed: unknown }
  const port = Number(url.port)
  if (url.hostname === '' || port < 1 || url.pathname.length > 1) {
    return { allowed: 'write tcp://host:port, such as tcp://192.0.2.7:4001' }
  }
  return {
    value: { scheme: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port },
  }
}

function unknownOption(url: URL, known: readonly string[]): string | undefined {
  const unknown = [...url.searchParams.keys()].find((key) => !known.includes(key))
  if (unknown === undefined) return undefined
  const allowed = known.length === 0 ? 'none are allowed' : `allowed: ${known.join(', ')}`
  return `option ${JSON.stringify(unknown)} is unknown; ${allowed}`
}

const sizeUnits = new Map([
  ['B', 1],
  ['kB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
])

/** @returns bytes */
export function parseSize(text: string): Parsed<number> {
  const match = /^([0-9]{1,6})(B|kB|MB|GB)$/.exec(text)
  const bytes = Number(match?.[1]) * (sizeUnits.get(match?.[2] ?? '') ?? Number.NaN)
  return bytes >= 1e6 && bytes <= 1e12
    ? { value: bytes }
    : {
        allowed: 'write a size such as 16MB, from 1MB to 1000GB (units: kB, MB, GB)',
      }
}

/** As parseSize reads it, in the largest unit that is exact. */
export function formatSize(bytes: number): string {
  const [unit, factor] = [...sizeUnits].reverse().find(([, size]) => bytes % size === 0) ?? ['B', 1]
  return `${bytes / factor}${unit}`
}

export function parseRate(text: string): Parsed<{ parts: number; perMs: number }> {
  const match = /^([0-9]{1,6})\/([0-9]+[a-z]+)$/.exec(text)
  const parts = Number(match?.[1])
  const perMs = parseDuration(match?.[2] ?? '')
  return parts >= 1 && perMs !== undefined && perMs >= 1_000 && perMs <= 86_400_000
    ? { value: { parts, perMs } }
    : {
        allowed: 'write a number of parts and a span from 1s to 1d, such as 10/1m',
      }
}

/** A parser for values of which a pattern says all. */
export function matching(pattern: RegExp, allowed: string): (text: string) => Parsed<string> {
  return (text) => (pattern.test(text) ? { value: text } : { allowed })
}

/** The name of an appliance. */
export const parseNodeName = matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  'up to 63 letters, digits, dots, - and _',
)
