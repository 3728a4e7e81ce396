/** A dispatch over a real store and scripted lines, for the tests of this room; each cleans up after itself. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, vi } from 'vitest'
import { faxRetryDefaults } from '#config/fax.ts'
import { pairDefaults } from '#config/pair.ts'
import { noStorm, type StormConfig } from '#config/storm.ts'
import type { Config, FaxLineConfig, GsmLineConfig, PairConfig, RouteConfig } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { SubmitRequest } from '#dispatch/contract.ts'
import { createDispatch, type RunningDispatch } from '#dispatch/dispatch.ts'
import { noReplicas, type Ownership, type Replicas, soleOwner } from '#dispatch/ownership.ts'
import type { MessageView, OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { type Script, ScriptedLine, type Sent, sendParts } from './scripted-line.ts'

export const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo()
})

export interface Rig {
  dispatch: RunningDispatch
  store: Store & OperationLog
  sent: Sent[]
  ids: string[]
  send(request?: Partial<SubmitRequest>): Promise<MessageView>
  view(id: string): Promise<MessageView>
  settled(id: string, state: string): Promise<MessageView>
  stop(): Promise<void>
}

export interface RigOptions {
  scripts?: Record<string, Script>
  routes?: RouteConfig[]
  rate?: GsmLineConfig['rate']
  reports?: boolean
  directory?: string
  wrap?: (store: Store & OperationLog) => Store & OperationLog
  ready?: boolean
  /** The test ends it as a crash would: nothing is said to the loop. */
  crashes?: boolean
  ownership?: Ownership
  replicas?: Replicas
  pair?: Config['pair']
  storm?: StormConfig
  sources?: Config['sources']
}

export const pair = (oneDisk: 'accept' | 'refuse'): PairConfig => ({
  ...pairDefaults,
  accept: { wait: 200, oneDisk },
  profile: { name: 'fast', interval: 100, misses: 3, timeout: 0, lease: 1_000, renew: 250, grantWait: 1_700 },
  listen: { host: 'localhost', port: 0 },
  logListen: { host: 'localhost', port: 0 },
  advertise: [],
  allow: {},
  preempt: false,
  redirect: false,
})

/** A fax line whose settings are the defaults. */
export const faxLine = (id: string, priority = 100): FaxLineConfig => ({
  id,
  kind: 'fax',
  port: { scheme: 'tcp', host: 'localhost', port: 1 },
  disabled: false,
  class: 'auto',
  header: true,
  station: '',
  ecm: true,
  maxRate: 14400,
  resolution: 'fine',
  answer: { rings: 2, distinctive: [], callers: [], maxPages: 500, maxDuration: 7_200_000 },
  dial: { prefix: '', international: '00', national: '0' },
  retry: faxRetryDefaults,
  doNotDial: [],
  priority,
})

export async function rig(options: RigOptions = {}): Promise<Rig> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'loop-')))
  if (!options.directory) cleanUp.push(() => rm(directory, { recursive: true, force: true }))
  const real = await openStore({ directory, node: 'a' })
  const store = options.wrap?.(real) ?? real
  const sent: Sent[] = []
  const scripts = options.scripts ?? { gsm0: (t, line) => sendParts(t, line, sent) }
  const ids = Object.keys(scripts)
  const lines = Object.entries(scripts).map(([id, script]) => new ScriptedLine(id, script))
  const gsm = (id: string): GsmLineConfig => ({
    id,
    kind: 'gsm',
    port: { scheme: 'sim', kind: 'gsm', options: {} },
    reports: options.reports ?? false,
    concatenation: 8,
    disabled: false,
    ...(options.rate ? { rate: options.rate } : {}),
  })
  const configs = ids.map((id) => (id.startsWith('fax') ? faxLine(id) : gsm(id)))
  const dispatch = createDispatch({
    config: {
      node: 'a',
      lines: configs,
      routes: options.routes ?? [],
      validity: 1_800_000,
      contacts: [],
      groups: [],
      sources: options.sources ?? [],
      storm: options.storm ?? noStorm(),
      ...(options.pair ? { pair: options.pair } : {}),
    },
    store,
    clock: systemClock(real.lastLogged),
    log: silent,
    ownership: options.ownership ?? soleOwner('a'),
    replicas: options.replicas ?? noReplicas,
    lines,
  })
  await dispatch.loop.start()
  if (options.ready ?? true) for (const id of ids) dispatch.loop.lineReady(id)
  let stopped = false
  const stop = async () => {
    if (stopped) return
    stopped = true
    await dispatch.loop.stop()
    await real.close()
  }
  if (!options.crashes) cleanUp.push(stop)
  const view = async (id: string) => {
    const found = await store.message(id)
    if (!found) throw new Error(`message ${id} is not in the store`)
    return found
  }
  return {
    dispatch,
    store,
    sent,
    ids,
    stop,
    view,
    async send(request = {}) {
      const result = await dispatch.submit({ to: ['+491701'], text: 'hello', source: 'test', ...request })
      if (result.result !== 'accepted') throw new Error(JSON.stringify(result))
      return result.view
    },
    async settled(id, state) {
      let found = await view(id)
      await vi.waitFor(
        async () => {
          found = await view(id)
          expect(found.deliveries.map((delivery) => delivery.state)).toEqual(
            found.deliveries.map(() => state),
          )
        },
        { timeout: 10_000, interval: 10 },
      )
      return found
    },
  }
}
