/**
 * An appliance however it can be reached: while it runs it is asked through HTTP or its local socket, while it is down
 * its store is opened here.
 */
import { statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '#config/load.ts'
import type { Config } from '#config/types.ts'
import { CodedError } from '#core/errors.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { call, type Target } from './client.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { type ConnectionValues, localTarget, targetsOf } from './target.ts'

export type OpenStore = Store & OperationLog

export interface Ways<T> {
  /** It runs, or is elsewhere: whom to ask. */
  running(targets: readonly Target[]): T
  /** It does not run: its store, which whoever uses it closes in the end. */
  stopped(store: OpenStore, config: Config): Promise<T>
}

/** How long an appliance may hold its store before its local socket is there, ms. */
const STARTING_MS = 10_000

/** @throws UsageError, ConfigInvalid, Ended; CodedError when the store cannot be opened */
export async function reach<T>(values: ConnectionValues, usage: string, ways: Ways<T>): Promise<T> {
  if (values.config === undefined) return ways.running(targetsOf(values, usage))
  if (values.host !== undefined) throw new UsageError('give either --config or --host, not both', usage)
  const config = loadConfig(values.config)
  const deadline = performance.now() + STARTING_MS
  for (;;) {
    const local = localTarget(config.data)
    const probe = await call(local, { method: 'GET', path: '/tokens' })
    if (probe.result !== 'notSent') return ways.running([local])
    if (probe.code === 'EACCES') throw new Ended(exit.refused, probe.reason)
    try {
      return await opened(config, ways)
    } catch (error) {
      const starting = error instanceof CodedError && error.code === 'data-in-use'
      if (!starting || performance.now() > deadline) throw error
    }
    await pause(200)
  }
}

async function opened<T>(config: Config, ways: Ways<T>): Promise<T> {
  const { data, node, reserve } = config
  becomeOwnerOf(data)
  const { openStore } = await import('#store/sqlite.ts')
  const store = await openStore({ directory: data, node, reserve })
  try {
    return await ways.stopped(store, config)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Files that root made in the service's directory would keep the service from starting. */
function becomeOwnerOf(directory: string): void {
  const owner = statSync(directory, { throwIfNoEntry: false })
  if (owner === undefined || process.getuid?.() !== 0 || owner.uid === 0) return
  process.setgroups?.([owner.gid])
  process.setgid?.(owner.gid)
  process.setuid?.(owner.uid)
}
