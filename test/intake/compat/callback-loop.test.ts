/** When callbacks are told, rested and given up: the loop on a real store and a real receiver, with a clock by hand. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silent } from '#core/log.ts'
import { Callbacks } from '#intake/compat/callbacks.ts'
import type { Message } from '#messages/message.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, accepted, change, intend, START } from '../../store/fixtures.ts'
import { until } from '../../system/appliance.ts'

let directory: string
let store: Store & OperationLog
let receiver: Server
let got: string[]
let status: number
let now: number
let active: boolean
let rounds: number
let warned: object[]
let callbacks: Callbacks

beforeEach(async () => {
  got = []
  status = 200
  now = START
  active = true
  rounds = 0
  warned = []
  directory = await mkdtemp(join(tmpdir(), 'callbacks-'))
  store = await openStore({ directory, node: 'a' })
  receiver = createServer((request, response) => {
    got.push(request.url ?? '')
    response.writeHead(status, { location: '/elsewhere' }).end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  callbacks = new Callbacks({
    store,
    clock: { now: () => now, monotonic: () => now, trusted: () => true },
    log: { ...silent, warn: (fields) => warned.push(fields) },
    active: () => {
      rounds += 1
      return active
    },
  })
})
afterEach(async () => {
  await callbacks.stop()
  await store.close()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
  await rm(directory, { recursive: true })
})

async function sent(): Promise<Message> {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/%d`
  const made = acceptance({ callback: { api: 'kannel', url, values: { mask: '31' } } })
  await store.accept([made])
  const delivery = `${made.message.id}.0`
  await store.record([change(delivery, intend()), change(delivery, accepted(1))])
  return made.message
}

/** Waits until the loop has turned a few times more. */
async function turns(): Promise<void> {
  const before = rounds
  await until(() => rounds > before + 2, 'the loop turns')
}
const settled = (id: string) =>
  until(async () => (await store.recall(`callback:${id}`)) === 'done', 'it is settled')

test('only the active member tells; whoever becomes it goes on', async () => {
  active = false
  const { id } = await sent()
  callbacks.start()
  await turns()
  expect(got).toEqual([])
  active = true
  await settled(id)
  expect(got).toEqual(['/8'])
})

test('what is not taken is tried again later and later, and given up a day after the news', async () => {
  status = 302
  const { id } = await sent()
  callbacks.start()
  await until(() => got.length === 1, 'a first try')
  await turns()
  expect(got).toHaveLength(1)
  for (let tries = 2; tries <= 4; tries += 1) {
    now += 1_000 * 2 ** (tries - 2)
    await until(() => got.length === tries, `try ${tries}`)
    // Until the loop has read the answer, too.
    await turns()
  }
  now += 86_400_000
  await settled(id)
  expect(got).toEqual(['/8', '/8', '/8', '/8', '/8'])
  expect(warned).toMatchObject([
    { code: 'callback-failed', message: id, problem: 'HTTP status 302', failures: 5 },
  ])
})

test('a place that does not answer does not hold up another one', async () => {
  const gone = acceptance({
    callback: { api: 'kannel', url: 'http://127.0.0.1:1/%d', values: { mask: '31' } },
  })
  await store.accept([gone])
  await store.record([change(`${gone.message.id}.0`, intend()), change(`${gone.message.id}.0`, accepted(1))])
  const { id } = await sent()
  callbacks.start()
  await settled(id)
  expect(got).toEqual(['/8'])
  expect(await store.recall(`callback:${gone.message.id}`)).toBeUndefined()
})
