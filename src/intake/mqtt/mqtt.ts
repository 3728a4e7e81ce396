/**
 * Starts and stops MQTT. Every member has a connection of its own over which it tells about itself; the active one has
 * a second one, over which messages come in. `<topic>/status` belongs to that one: when another member takes its client
 * id over, the broker publishes the will of the old connection before the new one says `online`, so no late will of a
 * dead member contradicts a living one.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { MqttConfig } from '#config/mqtt.ts'
import { CodedError, errorText } from '#core/errors.ts'
import type { Line } from '#lines/contract.ts'
import type { ChangeListener } from '#store/changes.ts'
import type { QueueDepth } from '#store/contract.ts'
import { openBroker } from './broker.ts'
import { announcements, nodeTopic } from './discovery.ts'
import { createIntake, type IntakeOptions } from './intake.ts'
import { Outbox } from './outbox.ts'
import { linePayload, MessageTeller, queuePayload } from './telling.ts'

export interface MqttOptions extends Omit<IntakeOptions, 'ca' | 'result' | 'store'> {
  config: MqttConfig
  store: IntakeOptions['store'] & { depth(): Promise<QueueDepth> }
  node: string
  version: string
  lines(): readonly Line[]
  role(): string
}

export interface Mqtt extends ChangeListener {
  /** Publishes a received SMS or an acknowledgement; resolves when the broker has it, rejects when it is away. */
  inbound(event: object): Promise<void>
  /** This member became the active one, or no longer is. */
  follow(active: boolean): void
  stop(): Promise<void>
}

/** How often it is looked whether there is something new to tell. */
const EVERY_MS = 1_000
/** How long a message is held back until the broker has the result of the one before. */
const RESULT_MS = 1_000

/** @throws CodedError `mqtt-ca-unusable` when the file of the authority cannot be read */
export function startMqtt(options: MqttOptions): Mqtt {
  const { config, store, clock, log, node, version } = options
  const { topic } = config
  const own = nodeTopic(topic, node)
  const ca = config.ca === undefined ? {} : { ca: readAuthority(config.ca) }
  const teller = new MessageTeller(topic)
  const status = `${own}/status`
  const broker = openBroker({
    ...config,
    ...ca,
    client: `twinline-${topic.replaceAll('/', '-')}-${node}`,
    keepSession: false,
    will: { topic: status, payload: 'offline' },
    onUp: () => outbox.up(),
    onDown: () => {},
    log,
  })
  const outbox = new Outbox(broker, (count) =>
    log.warn({ count }, 'the MQTT broker was away for so long that not everything could be told'),
  )
  outbox.state(status, 'online')
  if (config.discovery !== undefined) {
    const lines = options.lines().map(({ id }) => id)
    const what = { prefix: config.discovery, topic, node, version, lines, notify: config.to.length > 0 }
    for (const { topic: place, payload } of announcements(what)) outbox.state(place, JSON.stringify(payload))
  }
  const event = (place: string, payload: object) => outbox.event(place, JSON.stringify(payload))

  async function look(): Promise<void> {
    outbox.state(`${own}/role`, options.role())
    for (const line of options.lines()) {
      outbox.state(`${own}/line/${line.id}`, JSON.stringify(linePayload(line.status())))
    }
    outbox.state(`${own}/queue`, JSON.stringify(queuePayload(await store.depth(), clock.now())))
  }
  let looking = Promise.resolve()
  const timer = setInterval(() => {
    looking = look().catch((error: unknown) =>
      log.debug({ error: errorText(error) }, 'the state could not be looked at; tried again'),
    )
  }, EVERY_MS)

  const intake = createIntake({
    ...options,
    ...ca,
    async result(id, body) {
      const place = `${topic}/result/${id}`
      const payload = { id, ...body }
      // Waited for, so that a flood of messages cannot push their results out of the outbox; but not for ever.
      const late = new AbortController()
      const published = broker
        .publish(place, JSON.stringify(payload), false)
        .catch(() => event(place, payload))
      await Promise.race([published, pause(RESULT_MS, undefined, { signal: late.signal }).catch(() => {})])
      late.abort()
    },
  })
  /** Starting and stopping one after another, whatever the order in which roles come and go. */
  let turn: Promise<void> = Promise.resolve()
  const follow = (active: boolean) => {
    turn = turn.then(() => (active ? intake.start() : intake.stop())).catch(() => {})
  }
  return {
    accepted(acceptance) {
      const { topic: place, payload } = teller.accepted(acceptance)
      event(place, payload)
    },
    recorded(change) {
      const told = teller.recorded(change)
      if (told !== undefined) event(told.topic, told.payload)
    },
    inbound: (body) => broker.publish(`${topic}/inbound`, JSON.stringify(body), false),
    follow,
    async stop() {
      clearInterval(timer)
      follow(false)
      await turn
      await looking
      await broker.close({ topic: status, payload: 'offline' })
    },
  }
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CodedError('mqtt-ca-unusable', `intake.mqtt.ca: cannot read ${path}: ${errorText(error)}`, {
      field: 'intake.mqtt.ca',
      cause: error,
    })
  }
}
