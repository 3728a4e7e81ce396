/**
 * The composition root: builds every part of an appliance once, starts them in order and stops them in reverse.
 * No logic lives here; a part is told by a typed list of callbacks what happens elsewhere.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import { createDispatch } from '#dispatch/dispatch.ts'
import { keepHouse } from '#dispatch/housekeeping.ts'
import { noReplicas, soleOwner } from '#dispatch/ownership.ts'
import { settleReport } from '#dispatch/reports.ts'
import { startHttp } from '#intake/http/server.ts'
import { createReceiver } from '#intake/inbound/receiver.ts'
import type { Line, LineEvents } from '#lines/contract.ts'
import { loadProfiles } from '#lines/profile.ts'
import { createMetrics } from '#notify/metrics.ts'
import { createGsmLine } from '#sms/gsm-line.ts'
import { openStore } from '#store/sqlite.ts'

/** What a started appliance offers to the command that started it. */
export interface Appliance {
  /** URLs that it listens on, ports resolved. */
  addresses: string[]
  /** False when the delivery loop no longer turns: the watchdog's question. */
  alive(): boolean
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '..')

export function version(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return version
}

/** @param options.onFailure told when the appliance cannot go on, e.g. because the store's worker died */
export async function startAppliance(
  config: Config,
  options: { log: Log; onFailure: (error: Error) => void },
): Promise<Appliance> {
  const started = new AsyncDisposableStack()
  try {
    return await start(config, options, started)
  } catch (error) {
    await started.disposeAsync()
    throw error
  }
}

/** @param started gets what stops each part; it is undone in reverse order */
async function start(
  config: Config,
  { log, onFailure }: { log: Log; onFailure: (error: Error) => void },
  started: AsyncDisposableStack,
): Promise<Appliance> {
  const { node } = config
  const store = await openStore({ directory: config.data, node, reserve: config.reserve, onFailure })
  started.defer(() => store.close())
  const clock = systemClock(store.lastLogged, (byMs) => {
    log.warn(
      { byMs },
      'the system clock was corrected; what was accepted since the start keeps its time left',
    )
    void store.shiftTimes(startedAt, byMs).catch(onFailure)
  })
  const startedAt = clock.now()
  const receiver = createReceiver({ node, store, clock, log })
  started.defer(() => receiver.stop())
  started.defer(keepHouse({ store, clock, log, retention: config.retention }))

  const events: LineEvents = {
    ready: (line) => dispatch.loop.lineReady(line),
    down: (line) => dispatch.loop.lineDown(line),
    inbound: (part) => receiver.receive(part),
    report: (report) => settleReport(report, { node, store, clock, log }),
    call: (line) => log.info({ line }, 'an incoming call was ended'),
  }
  const profiles = loadProfiles(join(root, 'firmware-config', 'modems'))
  const lines: Line[] = config.lines.map((line) =>
    createGsmLine(line, { node, clock, log, events, memory: store, profiles }),
  )
  started.defer(async () => {
    await Promise.all(lines.map((line) => line.stop()))
  })
  const dispatch = createDispatch({
    config,
    store,
    clock,
    log,
    ownership: soleOwner(node),
    replicas: noReplicas,
    lines,
  })
  await dispatch.loop.start()
  started.defer(() => dispatch.loop.stop())

  const role = () => 'ACTIVE' as const
  const metrics = createMetrics({ store, lines: () => lines, clock, node, version: version(), role })
  const http = await startHttp({
    config,
    dispatch,
    store,
    clock,
    log,
    metrics,
    version: version(),
    node,
    role,
    ready: () =>
      lines.some((line) => line.status().state === 'ready')
        ? { ready: true }
        : { ready: false, reason: lines.length === 0 ? 'no line is configured' : 'no line is ready' },
  })
  started.defer(() => http.stop())
  for (const line of lines) line.start()

  return {
    addresses: http.addresses,
    alive: () => dispatch.loop.alive(),
    stop: () => started.disposeAsync(),
  }
}
