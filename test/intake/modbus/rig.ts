/** What the suites of Modbus share: a store on disk, acceptance that keeps what it took, and a PLC by modbus-serial. */
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerTCP } from 'modbus-serial'
import type { ModbusPollConfig } from '#config/modbus.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { Dispatch, SubmitRequest, SubmitResult } from '#dispatch/contract.ts'
import { type Message, newDelivery } from '#messages/message.ts'
import { openStore } from '#store/sqlite.ts'

export const clock = systemClock(0)

/** Takes what comes, each key once; `answer` makes it refuse. */
export function acceptance() {
  const taken: SubmitRequest[] = []
  const keys = new Map<string, SubmitResult>()
  const state: { answer?: SubmitResult; taken: SubmitRequest[]; dispatch: Pick<Dispatch, 'submit'> } = {
    taken,
    dispatch: {
      async submit(request) {
        if (state.answer !== undefined) return state.answer
        const known = request.key && keys.get(request.key.key)
        if (known) return known
        taken.push(request)
        const message: Message = {
          id: `m${taken.length}`,
          at: clock.now(),
          source: request.source,
          text: request.text,
          priority: request.priority ?? 2,
          validity: 1,
          onUnknown: 'resend',
          flash: false,
        }
        const deliveries = request.to.map((to, n) => newDelivery(message, n, to, 'sms', 1))
        const result = { result: 'accepted', view: { message, deliveries }, replicated: false } as const
        if (request.key) keys.set(request.key.key, { ...result, replayed: true })
        return { ...result, replayed: false }
      },
    },
  }
  return state
}

/** A store that is closed and removed with the scope. */
export async function storeOnDisk() {
  const directory = await mkdtemp(join(tmpdir(), 'modbus-'))
  const store = await openStore({ directory, node: 'alpha', reserve: 1 })
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
}

export const counters = { accepted: () => {}, refused: () => {} }
export const common = { clock, log: silent, metrics: counters }

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A device with holding registers that the test sets; answers unit 1 only. */
export async function startPlc(port?: number) {
  const at = port ?? (await freePort())
  const registers = new Map<number, number>()
  const server = new ServerTCP(
    {
      getHoldingRegister: (address: number) => registers.get(address) ?? 0,
      getInputRegister: (address: number) => registers.get(address) ?? 0,
      getCoil: (address: number) => (registers.get(address) ?? 0) !== 0,
      getDiscreteInput: (address: number) => (registers.get(address) ?? 0) !== 0,
    },
    { host: '127.0.0.1', port: at, unitID: 1 },
  )
  server.on('socketError', () => {})
  await new Promise<void>((resolve) => server.on('initialized', () => resolve()))
  return {
    port: at,
    registers,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

export const pollOf = (port: number, more: Partial<ModbusPollConfig> = {}): ModbusPollConfig => ({
  id: 'ups',
  device: { scheme: 'tcp', host: '127.0.0.1', port },
  unit: 1,
  table: 'holding',
  address: 20,
  type: 'int16',
  words: 'big',
  scale: 0.1,
  when: { comparison: '>', limit: 45 },
  clear: { comparison: '<', limit: 40 },
  delay: 0,
  every: 50,
  lost: 300,
  latch: false,
  to: ['+491710001'],
  priority: 1,
  text: 'UPS {value} °C',
  clearText: 'UPS {value} °C again',
  lostText: 'UPS silent',
  foundText: 'UPS there',
  ...more,
})

/** Waits until something holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what}: not in time`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
