/**
 * Asks the configured registers and sends what watch.ts decides. Each device is asked one register at a time.
 *
 * What an alarm was is remembered in the store, and with it what is still to be sent and under which key: an alert
 * whose acceptance a crash or a failover cut short is submitted again under the same key, so it is neither lost nor
 * doubled. A register is not asked again before its alert is stored.
 */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { ModbusDevice, ModbusPollConfig } from '#config/modbus.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import { newId } from '#core/ids.ts'
import type { Log } from '#core/log.ts'
import type { Dispatch, SubmitResult } from '#dispatch/contract.ts'
import type { Metrics } from '#notify/metrics.ts'
import type { Store } from '#store/contract.ts'
import { createDevice, type Device } from './device.ts'
import { fill, readingOf, registersOf } from './reading.ts'
import {
  awaitsAcknowledgement,
  newWatch,
  parseRecord,
  recordOf,
  step,
  type WatchEvent,
  type WatchInput,
  type WatchState,
} from './watch.ts'

export interface PollerOptions {
  poll: readonly ModbusPollConfig[]
  dispatch: Pick<Dispatch, 'submit'>
  store: Pick<Store, 'remember' | 'recall'>
  clock: Clock
  log: Log
  metrics: Pick<Metrics, 'accepted' | 'refused'>
}

export interface PollerStatus {
  alarms: number
  lost: number
  /** Alarms that somebody should acknowledge. */
  awaiting: number
}

export interface Poller {
  /** Begins, or goes on where another member or the last run left off. */
  start(): void
  /** Resolves when nothing more is asked or sent. */
  stop(): Promise<void>
  /** Acknowledges every latched alarm. @returns false when this member does not watch now */
  acknowledge(): Promise<boolean>
  status(): PollerStatus
}

/** After a submission that could not be stored, ms. */
const AGAIN_MS = 1_000

interface Owed {
  key: string
  text: string
}

interface Watch {
  readonly config: ModbusPollConfig
  state: WatchState
  owed: Owed[]
  /** The record as it was last written. */
  written: string
  /** When it is to be asked next, by the clock that no one sets. */
  next: number
  /** Somebody acknowledged it since it was last looked at. */
  acknowledged: boolean
  /** The last value that was read. */
  value?: number
  lastWhy: string
}

const nameOf = (id: string): string => `modbus/${id}`

export function createPoller(options: PollerOptions): Poller {
  const { poll, store, clock, log } = options
  const devices = Map.groupBy(poll, ({ device }) => JSON.stringify(device))
  let running: { stop: AbortController; done: Promise<unknown>; watches: Watch[] } | undefined
  /** One run after another: a new one reads what the one before wrote. */
  let ended: Promise<unknown> = Promise.resolve()

  function start(): void {
    if (running !== undefined) return
    const stop = new AbortController()
    const watches: Watch[] = []
    const done = ended.then(() =>
      Promise.all(
        [...devices.values()].map(([first, ...rest]) =>
          first === undefined ? undefined : watchDevice(first.device, [first, ...rest], watches, stop.signal),
        ),
      ),
    )
    running = { stop, done, watches }
    ended = done
  }

  async function watchDevice(
    address: ModbusDevice,
    configs: readonly ModbusPollConfig[],
    all: Watch[],
    signal: AbortSignal,
  ): Promise<void> {
    const watches = await recallAll(configs, signal)
    all.push(...watches)
    const device = createDevice(address)
    while (!signal.aborted) {
      const now = clock.monotonic()
      const first = watches.reduce((a, b) => (b.next < a.next ? b : a))
      if (first.next > now) {
        await pause(Math.min(first.next - now, AGAIN_MS), undefined, { signal }).catch(() => {})
        for (const watch of watches) if (watch.acknowledged) watch.next = now
        continue
      }
      try {
        await turn(first, device, signal)
      } catch (error) {
        log.error(
          { poll: first.config.id, error: errorText(error) },
          'a watched register could not be dealt with',
        )
        first.next = clock.monotonic() + AGAIN_MS
      }
    }
    await device.close()
  }

  async function recallAll(configs: readonly ModbusPollConfig[], signal: AbortSignal): Promise<Watch[]> {
    while (!signal.aborted) {
      try {
        return await Promise.all(
          configs.map(async (config) => recalled(config, await store.recall(nameOf(config.id)))),
        )
      } catch (error) {
        log.warn(
          { error: errorText(error) },
          'what is known of the watched registers could not be read; trying again',
        )
        await pause(AGAIN_MS, undefined, { signal }).catch(() => {})
      }
    }
    return []
  }

  function recalled(config: ModbusPollConfig, text: string | undefined): Watch {
    const { record, owed } = parse(text)
    const state: WatchState = record === undefined ? newWatch : record
    return { config, state, owed, written: text ?? '', next: 0, acknowledged: false, lastWhy: '' }
  }

  async function turn(watch: Watch, device: Device, signal: AbortSignal): Promise<void> {
    const { config } = watch
    const began = clock.monotonic()
    watch.next = began + config.every
    if (watch.owed.length > 0) await settle(watch)
    if (watch.acknowledged) {
      watch.acknowledged = false
      await follow(watch, { input: 'acknowledge' })
    }
    if (watch.owed.length > 0) {
      watch.next = clock.monotonic() + AGAIN_MS
      return
    }
    const count = registersOf(config.type)
    const answer = await device.ask({ ...config, count })
    if (signal.aborted) return
    const at = clock.monotonic()
    const value = 'words' in answer ? readingOf(answer.words, config) : undefined
    const why = 'why' in answer ? answer.why : value === undefined ? 'the answer is no number' : ''
    if (why !== '' && why !== watch.lastWhy)
      log.warn({ poll: config.id, why }, 'a watched register gave no value')
    watch.lastWhy = why
    if (value !== undefined) watch.value = value
    await follow(watch, value === undefined ? { input: 'silence', at } : { input: 'reading', value, at })
  }

  async function follow(watch: Watch, input: WatchInput): Promise<void> {
    const { config } = watch
    const next = step(watch.state, input, config)
    watch.state = next.state
    for (const event of next.events) {
      log.info({ poll: config.id, event }, 'a watched register changed')
      watch.owed.push({ key: `modbus:${newId(clock.now())}`, text: textOf(event, config, watch.value) })
    }
    if (watch.owed.length > 0) await settle(watch)
    else await write(watch)
  }

  async function settle(watch: Watch): Promise<void> {
    const { config } = watch
    for (;;) {
      const [owed] = watch.owed
      if (owed === undefined) break
      // Calls of the store take effect in order, so the intent is on disk no later than the alert.
      const written = write(watch)
      const submitted = submit(config, owed)
      await written
      const result = await submitted
      if (result.result === 'full' || result.result === 'oneDisk') {
        // What one disk alone held was cancelled with its key.
        if (result.result === 'oneDisk') owed.key = `modbus:${newId(clock.now())}`
        options.metrics.refused('modbus', result.result === 'full' ? 'disk-full' : 'one-disk')
        log.warn({ poll: config.id }, 'an alert could not be stored; it is tried again')
        return
      }
      if (result.result === 'accepted') options.metrics.accepted('modbus')
      if (result.result === 'invalid') {
        options.metrics.refused('modbus', result.code)
        const { field, code, detail } = result
        log.error({ poll: config.id, field, code, detail }, 'an alert was refused; correct the configuration')
      }
      watch.owed.shift()
    }
    await write(watch)
  }

  const submit = ({ id, to, priority }: ModbusPollConfig, { key, text }: Owed): Promise<SubmitResult> =>
    options.dispatch.submit({
      to,
      text,
      priority,
      source: `modbus:${id}`,
      key: {
        key,
        bodyHash: createHash('sha256')
          .update(JSON.stringify([to, text]))
          .digest('hex'),
      },
    })

  async function write(watch: Watch): Promise<void> {
    const text = JSON.stringify({ ...recordOf(watch.state), owed: watch.owed })
    if (text === watch.written) return
    watch.written = text
    try {
      await store.remember(nameOf(watch.config.id), text)
    } catch (error) {
      watch.written = ''
      throw error
    }
  }

  return {
    start,
    async stop() {
      const run = running
      running = undefined
      run?.stop.abort()
      await ended
    },
    async acknowledge() {
      if (running === undefined) return false
      for (const watch of running.watches) {
        if (!awaitsAcknowledgement(watch.state, watch.config)) continue
        watch.acknowledged = true
      }
      return true
    },
    status() {
      const watches = running?.watches ?? []
      return {
        alarms: watches.filter(({ state }) => state.value !== 'normal').length,
        lost: watches.filter(({ state }) => state.lost).length,
        awaiting: watches.filter(({ state, config }) => awaitsAcknowledgement(state, config)).length,
      }
    },
  }
}

function textOf(event: WatchEvent, config: ModbusPollConfig, value: number | undefined): string {
  const { id, text, clearText, lostText, foundText } = config
  const template = { alarm: text, clear: clearText, lost: lostText, found: foundText }[event]
  return fill(template, { id, value: value === undefined ? '?' : String(value) })
}

function parse(text: string | undefined): { record?: ReturnType<typeof parseRecord>; owed: Owed[] } {
  if (text === undefined) return { owed: [] }
  try {
    const value: unknown = JSON.parse(text)
    const record = parseRecord(value)
    const list = typeof value === 'object' && value !== null && 'owed' in value ? value.owed : []
    return { record, owed: Array.isArray(list) ? list.filter(isOwed) : [] }
  } catch {
    return { owed: [] }
  }
}

const isOwed = (value: unknown): value is Owed =>
  typeof value === 'object' &&
  value !== null &&
  'key' in value &&
  typeof value.key === 'string' &&
  'text' in value &&
  typeof value.text === 'string'
