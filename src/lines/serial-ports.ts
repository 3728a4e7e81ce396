/**
 * The serial ports of this machine, under names that stay: ttyUSB2 is another modem after the next start, while
 * /dev/serial/by-id names the device itself and by-path the socket that it is plugged into (both are made by udev).
 */
import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SerialPort } from 'serialport'

export interface SerialPlace {
  /** `/dev/ttyUSB2` */
  device: string
  /** What belongs into a configuration: the link that stays, or the device where it has none. */
  name: string
}

/** By-id first: it stays when the modem is plugged into another socket. Two alike share one, and then by-path serves. */
const linkDirectories = ['/dev/serial/by-id', '/dev/serial/by-path']
/** The consoles that the kernel writes to; somebody may log in there, and a question would be typed into the login. */
const CONSOLES = '/sys/class/tty/console/active'

/** udev's program lists every device of the machine; on a slow box within half a second. */
const LIST_MS = 3_000

const byNumber = new Intl.Collator('en', { numeric: true })

/** A machine without udev has none. */
export async function serialPorts(): Promise<SerialPlace[]> {
  const [listed, consoles, ...links] = await Promise.all([
    Promise.race([SerialPort.list().catch(() => []), pause(LIST_MS, [], { ref: false })]),
    readFile(CONSOLES, 'utf8').catch(() => ''),
    ...linkDirectories.map(linksIn),
  ])
  return placesOf(
    // Opening an rfcomm would call a Bluetooth device.
    listed.map(({ path }) => path).filter((path) => path.startsWith('/dev/tty')),
    consoles.split(/\s+/).map((name) => `/dev/${name}`),
    links,
  )
}

/**
 * In the order of the devices' numbers, consoles left out.
 * @param links of each directory, by the device that they lead to; the first that has one names it
 */
export function placesOf(
  devices: readonly string[],
  consoles: readonly string[],
  links: readonly ReadonlyMap<string, string>[],
): SerialPlace[] {
  const free = [...new Set(devices)].filter((device) => !consoles.includes(device))
  return free.sort(byNumber.compare).map((device) => {
    const name = links.map((found) => found.get(device)).find((link) => link !== undefined)
    return { device, name: name ?? device }
  })
}

/** Where a path leads; the path itself when it leads nowhere now. */
export const deviceOf = (path: string): Promise<string> => realpath(path).catch(() => path)

/** The links of a directory, by the device that they lead to. */
export async function linksIn(directory: string): Promise<Map<string, string>> {
  const names = await readdir(directory).catch(() => [])
  const links = names.sort().map((name) => join(directory, name))
  const devices = await Promise.all(links.map(deviceOf))
  return new Map(devices.map((device, n) => [device, links[n] ?? device]))
}
