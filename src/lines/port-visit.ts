/**
 * A short visit to a serial port that no line uses, to learn what is behind it: opened, spoken to, closed, all within a
 * limit. Whoever holds the port keeps it: serialport locks what it opens.
 */
import type { PortAddress } from '#config/types.ts'
import { AtChannel } from './at-channel.ts'
import { AtTrace } from './at-trace.ts'
import { type OpenResult, type Port, portOpener } from './ports.ts'

export type Visit =
  /** Something answered AT, and was spoken to until it was done or the time was over. */
  | { result: 'answered' }
  /** Opened, and nothing that speaks AT is there. */
  | { result: 'silent' }
  /** `absent`: no device after all; `denied`: this user may not; `in-use`: another program has it. */
  | { result: 'absent' | 'denied' | 'in-use' | 'failed'; why: string }

/** Twice what a modem takes to notice that it is spoken to; one that guesses the speed may miss the first AT. */
const HELLO_MS = 1_800

/** Which refusal of the kernel or the lock means what; UARTs that are only announced fail with an input/output error. */
const refusals: readonly [RegExp, 'absent' | 'denied' | 'in-use'][] = [
  [/permission denied|EACCES|EPERM/i, 'denied'],
  [/cannot lock|busy|temporarily unavailable|EBUSY|EAGAIN/i, 'in-use'],
  [/input\/output error|EIO\b/i, 'absent'],
]

/**
 * @param withinMs for everything, opening included
 * @param talk speaks over the channel; once the time is over all that it asks ends at once
 */
export async function visitPort(
  address: Extract<PortAddress, { scheme: 'serial' }>,
  withinMs: number,
  talk: (channel: AtChannel) => Promise<void>,
): Promise<Visit> {
  let port: Port | undefined
  let over = false
  const channel = new AtChannel({
    write: (text) => port?.write(text),
    handlers: { unsolicited: () => {}, started: () => false },
    trace: new AtTrace(),
    now: () => performance.now(),
  })
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => {
    over = true
    channel.close()
    late.resolve(undefined)
  }, withinMs)
  const opening = portOpener(0)(address, {
    data: (chunk) => channel.feed(chunk),
    closed: () => channel.close(),
  })
  try {
    const opened = await Promise.race([opening, late.promise])
    if (opened === undefined) {
      // It may open yet, and must not stay open then.
      void opening.then((result) => ('opened' in result ? result.opened.close() : undefined))
      return { result: 'failed', why: 'the port could not be opened in time' }
    }
    if (!('opened' in opened)) return refused(opened)
    port = opened.opened
    if (!(await channel.resync(Math.min(HELLO_MS, withinMs)))) return { result: 'silent' }
    if (!over) await talk(channel)
    return { result: 'answered' }
  } finally {
    clearTimeout(timer)
    channel.close()
    await port?.close()
  }
}

function refused({ absent, why }: Exclude<OpenResult, { opened: Port }>): Visit {
  const found = refusals.find(([pattern]) => pattern.test(why))
  return { result: absent ? 'absent' : (found?.[1] ?? 'failed'), why }
}
