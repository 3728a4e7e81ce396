/**
 * Takes messages from `<topic>/send`: each is acknowledged to the broker only when it is on disk, or refused for good.
 *
 * Only the active member subscribes, and all members of a pair by one client id, so that the broker's session is handed
 * over with the role: what it holds while nobody is active, and what the last active had not acknowledged, goes to the
 * next one. They are handled one at a time, so at most one was accepted and not yet acknowledged when a connection or
 * a member dies. Which one that was stands in the store, and with it the key that it was accepted under.
 */
import { createHash } from 'node:crypto'
import type { MqttConfig } from '#config/mqtt.ts'
import type { Clock } from '#core/clock.ts'
import { newId } from '#core/ids.ts'
import type { Log } from '#core/log.ts'
import type { Dispatch, SubmitRequest } from '#dispatch/contract.ts'
import type { Metrics } from '#notify/metrics.ts'
import type { Store } from '#store/contract.ts'
import { type Arrived, type Broker, openBroker } from './broker.ts'
import { parsePayload, type Refusal } from './payload.ts'

export interface IntakeOptions {
  config: MqttConfig
  ca?: string
  dispatch: Pick<Dispatch, 'submit'>
  store: Pick<Store, 'remember' | 'recall'>
  clock: Clock
  log: Log
  metrics: Pick<Metrics, 'accepted' | 'refused'>
  /** Publishes what became of it. Never rejects, and takes a second at most. */
  result(id: string, body: object): Promise<void>
}

export interface MqttIntake {
  start(): void
  stop(): Promise<void>
}

/** Where the refusal of what names no id is published. */
const UNNAMED = 'refused'
/** The store's note of the message in hand. */
const IN_HAND = 'mqtt/in-hand'
/** Between two tries to store what cannot be stored now, ms; after the last one the connection is given up. */
const PAUSES_MS = [1_000, 2_000, 4_000]

interface InHand {
  packet: number
  hash: string
  key: string
}

export function createIntake(options: IntakeOptions): MqttIntake {
  const { config, dispatch, store, clock, log, metrics } = options
  const status = `${config.topic}/status`
  let broker: Broker | undefined
  let stopping = new AbortController()

  async function arrived(message: Arrived): Promise<void> {
    if (message.retained) {
      await refuse(UNNAMED, {
        code: 'retained-message',
        detail: 'the message was published with the retain flag, so it may be old; publish it without',
      })
      return
    }
    const parsed = parsePayload(message.payload, config.to)
    if ('refused' in parsed) {
      await refuse(parsed.id ?? UNNAMED, parsed.refused)
      return
    }
    const keyed = parsed.request.key === undefined ? await underKey(message, parsed.request) : parsed.request
    await submit(keyed, parsed.id, stopping.signal)
  }

  /** Gives a request without a key the one that it had when it came before, and a new one otherwise. */
  async function underKey(message: Arrived, request: SubmitRequest): Promise<SubmitRequest> {
    const { packet, again } = message
    if (packet === undefined) return request
    const hash = createHash('sha256').update(message.payload).digest('hex')
    const before = again ? parseInHand(await store.recall(IN_HAND)) : undefined
    // MQTT 3.1.1, 4.4: what is sent again keeps its packet identifier.
    const same = before !== undefined && before.packet === packet && before.hash === hash
    const inHand: InHand = same ? before : { packet, hash, key: `mqtt:${newId(clock.now())}` }
    // Not waited for: calls of the store take effect in order, and the acceptance that follows is waited for.
    if (!same) void store.remember(IN_HAND, JSON.stringify(inHand)).catch(() => {})
    return { ...request, key: { key: inHand.key, bodyHash: hash } }
  }

  /** @throws when it could not be stored, or the intake is stopping: the broker keeps it */
  async function submit(request: SubmitRequest, id: string | undefined, signal: AbortSignal): Promise<void> {
    for (const pause of [...PAUSES_MS, undefined]) {
      if (signal.aborted) throw new Error('the intake is stopping')
      const result = await dispatch.submit(request)
      switch (result.result) {
        case 'accepted': {
          const { message, deliveries } = result.view
          if (!result.replayed) metrics.accepted('mqtt')
          await options.result(id ?? message.id, {
            result: 'accepted',
            message: message.id,
            replicated: result.replicated,
            replayed: result.replayed,
            recipients: deliveries.length,
          })
          return
        }
        case 'invalid': {
          const { code, field, detail } = result
          await refuse(id ?? UNNAMED, { code, field, detail: `${field} ${detail}` })
          return
        }
        case 'conflict':
          await refuse(id ?? UNNAMED, {
            code: 'key-reused',
            detail: 'the key came before with another message',
            field: 'key',
          })
          return
        default: {
          const code = result.result === 'full' ? 'disk-full' : 'one-disk'
          metrics.refused('mqtt', code)
          await options.result(id ?? 'waiting', { result: 'waiting', code })
          log.warn({ code }, 'a message of the MQTT broker cannot be stored now; the broker keeps it')
          // What one disk alone held was cancelled together with its key.
          if (result.result === 'oneDisk') void store.remember(IN_HAND, '').catch(() => {})
          if (result.result === 'oneDisk' || pause === undefined)
            throw new Error(`cannot be stored now: ${code}`)
          await waited(pause, signal)
        }
      }
    }
  }

  function refuse(id: string, refusal: Refusal): Promise<void> {
    metrics.refused('mqtt', refusal.code)
    log.info({ code: refusal.code, field: refusal.field }, 'a message of the MQTT broker was refused')
    return options.result(id, { result: 'refused', ...refusal })
  }

  return {
    start() {
      if (broker !== undefined) return
      stopping = new AbortController()
      broker = openBroker({
        ...config,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
        client: `twinline-send-${config.topic.replaceAll('/', '-')}`,
        keepSession: true,
        will: { topic: status, payload: 'offline' },
        subscribe: { topic: `${config.topic}/send`, arrived },
        // A new session begins to count its packets anew, so nothing of the old one can come again.
        onUp: (resumed) => {
          if (!resumed) void store.remember(IN_HAND, '').catch(() => {})
          // Where it fails the connection has ended, and the next one says it.
          void broker?.publish(status, 'online', true).catch(() => {})
        },
        onDown: () => {},
        log: log.child({ for: 'send' }),
      })
    },
    async stop() {
      stopping.abort()
      const open = broker
      broker = undefined
      await open?.close({ topic: status, payload: 'offline' })
    },
  }
}

const waited = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })

function parseInHand(text: string | undefined): InHand | undefined {
  if (text === undefined || text === '') return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { packet, hash, key } = value as Partial<Record<keyof InHand, unknown>>
    return typeof packet === 'number' && typeof hash === 'string' && typeof key === 'string'
      ? { packet, hash, key }
      : undefined
  } catch {
    return undefined
  }
}
