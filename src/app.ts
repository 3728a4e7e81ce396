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
import { soleOwner } from '#dispatch/ownership.ts'
import { settleReport } from '#dispatch/reports.ts'
import { startHttp } from '#intake/http/server.ts'
import { createReceiver } from '#intake/inbound/receiver.ts'
import type { Line, LineEvents } from '#lines/contract.ts'
import { loadProfiles } from '#lines/profile.ts'
import type { Scope } from '#messages/operation.ts'
import { createMetrics } from '#notify/metrics.ts'
import { createGsmLine } from '#sms/gsm-line.ts'
import { openStore } from '#store/sqlite.ts'

/** What a started appliance offers to the command that started it. */
export interface Appliance {
  /** URLs that it listens on, ports resolved. */
  addresses: string[]
  createToken(name: string, scopes: readonly Scope[]): Promise<string>
  revokeToken(name: string): Promise<void>
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
  const { log, onFailure } = options
  const { node } = config
  const store = await openStore({ directory: config.data, node, reserve: config.reserve, onFailure })
  const clock = systemClock(store.lastLogged, (byMs) => {
    log.warn(
      { byMs },
      'the system clock was corrected; what was accepted since the start keeps its time left',
    )
    void store.shiftTimes(startedAt, byMs).catch(onFailure)
  })
  const startedAt = clock.now()
  const receiver = createReceiver({ node, store, clock, log })

  const events: LineEvents = {
    ready: (line) => dispatch.loop.lineReady(line),
    down: (line, reason) => {
      log.warn({ line, reason: reason.code }, reason.text)
      dispatch.loop.lineDown(line)
    },
    inbound: (part) => receiver.receive(part),
    report: (report) => settleReport(report, { node, store, clock, log }),
    call: (line) => log.info({ line }, 'an incoming call was ended'),
  }
  const profiles = loadProfiles(join(root, 'firmware-config', 'modems'))
  const lines: Line[] = config.lines.map((line) =>
    createGsmLine(line, { clock, log, events, memory: store, profiles }),
  )
  const dispatch = createDispatch({ config, store, clock, log, ownership: soleOwner(node), lines })
  const role = () => 'ACTIVE' as const
  const metrics = createMetrics({ store, lines: () => lines, clock, node, version: version(), role })
  const stopHousekeeping = keepHouse({ store, clock, log, retention: config.retention })

  await dispatch.loop.start()
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
  for (const line of lines) line.start()

  return {
    addresses: http.addresses,
    createToken: async (name, scopes) => (await http.tokens.create({ name, scopes })).token,
    async revokeToken(name) {
      for (const token of await http.tokens.list())
        if (token.name === name) await http.tokens.revoke(token.id)
    },
    alive: () => dispatch.loop.alive(),
    async stop() {
      await http.stop()
      await dispatch.loop.stop()
      await Promise.all(lines.map((line) => line.stop()))
      stopHousekeeping()
      receiver.stop()
      await store.close()
    },
  }
}
