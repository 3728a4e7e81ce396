/**
 * twinline guard: the second process of a paired appliance. The gateway starts it and talks to it over file descriptor
 * 3; nobody types this. When the gateway is gone it gives everything up, says so and ends within a second.
 */
import { flushCompileCache } from 'node:module'
import { errorText } from '#core/errors.ts'
import { type Guard, startGuard } from '#pair/guard/guard.ts'
import { takeLock } from '#pair/guard/lock.ts'
import { openParent } from '#pair/guard/parent.ts'
import type { ToGuard } from '#pair/guard/protocol.ts'
import { exit } from './outcome.ts'

const CHANNEL = 3
/** A guard that was told to end takes up to a second. */
const LOCK_MS = 3_000
/** After the gateway's end, or a signal: by then the machine has said everything, or never will. */
const GIVE_UP_MS = 700

export function guard(): Promise<number> {
  const code = Promise.withResolvers<number>()
  const waiting: ToGuard[] = []
  let begun = false
  let running: Guard | undefined
  let leaving = false

  function leave(why: 'gatewayGone' | 'stop'): void {
    if (leaving) return
    leaving = true
    setTimeout(() => end(exit.accepted), GIVE_UP_MS)
    if (running) running.give({ input: why })
    else end(exit.accepted)
  }
  function end(result: number): void {
    if (!running) {
      code.resolve(result)
      return
    }
    running.abandon().then(
      () => code.resolve(result),
      () => code.resolve(exit.refused),
    )
  }
  function fail(error: unknown): void {
    parent.tell({ kind: 'log', level: 'error', fields: {}, text: `the guard ends: ${errorText(error)}` })
    console.error(error)
    end(exit.refused)
  }
  async function start(begin: Extract<ToGuard, { kind: 'begin' }>): Promise<void> {
    const lock = await takeLock(begin.directory, LOCK_MS)
    if (!lock) throw new Error(`another guard runs on ${begin.directory}`)
    if (leaving) return
    running = await startGuard(begin, parent)
    // A guard seldom ends in order, and the next one takes 20 MB less with what this one has compiled.
    flushCompileCache()
    for (const message of waiting.splice(0)) running.take(message)
    if (leaving) running.give({ input: 'gatewayGone' })
    await running.ended
    code.resolve(exit.accepted)
  }
  const parent = openParent(
    CHANNEL,
    (message) => {
      if (running) running.take(message)
      else if (message.kind === 'begin' && !begun) {
        begun = true
        start(message).catch(fail)
      } else waiting.push(message)
    },
    () => leave('gatewayGone'),
  )
  process.on('SIGTERM', () => leave('stop'))
  // A terminal's Ctrl-C is for the gateway, which says goodbye in order.
  process.on('SIGINT', () => {})
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  return code.promise
}
