/**
 * Tells systemd that the appliance is ready, stopping, or still alive (sd_notify(3)), through systemd-notify, which
 * Debian's systemd brings. Does nothing where no NOTIFY_SOCKET is set. The messages come from a child, so the unit
 * needs NotifyAccess=all.
 *
 * systemd-notify stays until systemd has read the message (without --no-block), so that systemd can still tell whose it was.
 */
import { spawn } from 'node:child_process'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'

export interface Supervision {
  /** The appliance accepts messages; from now on the watchdog is fed. */
  ready(): void
  /** It is stopping on purpose; the watchdog is fed no more. */
  stopping(): void
}

interface Options {
  /** Asked before each feeding of the watchdog: false when the appliance only looks alive. */
  healthy: () => boolean
  log: Log
  environment?: NodeJS.ProcessEnv
}

export function superviseBySystemd({ healthy, log, environment = process.env }: Options): Supervision {
  if (environment['NOTIFY_SOCKET'] === undefined) return { ready: () => {}, stopping: () => {} }
  let timer: NodeJS.Timeout | undefined

  function say(...words: string[]): void {
    const child = spawn('systemd-notify', words, { stdio: 'ignore', env: environment })
    child.on('error', (error) => log.warn({ error: errorText(error) }, 'systemd could not be told'))
    child.on('exit', (code) => {
      if (code !== 0) log.warn({ code }, 'systemd-notify failed')
    })
    child.unref()
  }

  return {
    ready() {
      say('READY=1')
      const period = watchdogMs(environment)
      if (period === undefined) return
      timer = setInterval(() => {
        if (healthy()) say('WATCHDOG=1')
        else log.error({}, 'the delivery loop does not turn; the watchdog is left hungry')
      }, period / 2)
      timer.unref()
    },
    stopping() {
      clearInterval(timer)
      say('STOPPING=1')
    },
  }
}

/** How long systemd waits for a sign of life, ms; undefined when it does not (sd_watchdog_enabled(3)). */
function watchdogMs(environment: NodeJS.ProcessEnv): number | undefined {
  const { WATCHDOG_USEC: period, WATCHDOG_PID: pid } = environment as {
    WATCHDOG_USEC?: string
    WATCHDOG_PID?: string
  }
  if (period === undefined || (pid !== undefined && pid !== String(process.pid))) return undefined
  const ms = Number(period) / 1_000
  return ms >= 2 && Number.isFinite(ms) ? ms : undefined
}
