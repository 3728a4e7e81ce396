/** Which USB device a serial port belongs to, as the kernel shows it under /sys (Documentation/ABI/stable/sysfs-bus-usb). */
import { readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const TTYS = '/sys/class/tty'
/** From the interface of the tty up to the device: one step, or two with a converter in between. */
const STEPS = 4

/**
 * @param path of a serial port, or a link to one
 * @returns `vvvv:pppp`; empty where it is no USB device, or gone
 */
export async function usbIdOf(path: string, ttys = TTYS): Promise<string> {
  try {
    let place = await realpath(join(ttys, basename(await realpath(path)), 'device'))
    for (let step = 0; step < STEPS; step += 1, place = dirname(place)) {
      const [vendor, product] = await Promise.all(['idVendor', 'idProduct'].map((name) => word(place, name)))
      if (vendor !== undefined && product !== undefined) return `${vendor}:${product}`
    }
  } catch {
    // Not there, or no tty.
  }
  return ''
}

const word = (place: string, name: string): Promise<string | undefined> =>
  readFile(join(place, name), 'utf8').then(
    (text) => text.trim().toLowerCase(),
    () => undefined,
  )
