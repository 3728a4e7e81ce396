/**
 * twinline fax-line: the process of one fax line. The gateway starts it and talks to it over file descriptor 3; nobody
 * types this. When the gateway is gone it hangs up and ends.
 */
import { monotonic } from '#core/clock.ts'
import { runFaxProcess } from '#fax/process/process.ts'
import { timing } from '#fax/timing.ts'
import { exit } from './outcome.ts'

const CHANNEL = 3

export async function faxLine(): Promise<number> {
  // A signal to the gateway's group is the gateway's to answer: it ends its calls first.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  await runFaxProcess(CHANNEL, timing(monotonic))
  return exit.accepted
}
