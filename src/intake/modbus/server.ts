/**
 * The Modbus TCP server: shows the register map and takes writes. A write that raises an alert is answered only after
 * the alert is on disk; one that cannot be stored now is answered `server device busy`, and the client tries again.
 *
 * Connections, their idle time and their buffers are bounded; a connection has one request in hand, and what does not
 * follow the protocol is cut off.
 */
import { createServer, type Socket } from 'node:net'
import type { ModbusAlertConfig, ModbusServerConfig } from '#config/modbus.ts'
import { allowedBy } from '#config/networks.ts'
import type { Clock } from '#core/clock.ts'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Dispatch } from '#dispatch/contract.ts'
import type { Line } from '#lines/contract.ts'
import type { Metrics } from '#notify/metrics.ts'
import { addressText } from '#pair/links/address.ts'
import type { QueueDepth, Store } from '#store/contract.ts'
import { bind } from '../http/listeners.ts'
import {
  codeOf,
  type ExceptionCode,
  encodeFrame,
  exceptionAnswer,
  exceptions,
  type Frame,
  parseRequest,
  type Request,
  readAnswer,
  splitFrame,
  writeAnswer,
} from './frame.ts'
import type { PollerStatus } from './poller.ts'
import { fill } from './reading.ts'
import { ACKNOWLEDGE_COIL, type Picture, readMap } from './registers.ts'

export interface ServerOptions {
  config: ModbusServerConfig
  dispatch: Pick<Dispatch, 'submit'>
  store: Pick<Store, 'remember' | 'recall' | 'depth'>
  lines(): readonly Line[]
  clock: Clock
  log: Log
  metrics: Pick<Metrics, 'accepted' | 'refused'>
  active(): boolean
  /** `pair.allow.send`: networks from which a write is taken; absent allows everybody. */
  mayWrite?: readonly string[] | undefined
  polls(): PollerStatus
  /** @returns false when another member watches the registers */
  acknowledge(): Promise<boolean>
}

export interface ModbusServer {
  /** `modbus://host:port`, the port resolved. */
  address: string
  stop(): Promise<void>
}

const MOST_CONNECTIONS = 64
/** A client that says nothing for so long is gone, or can connect again. */
const IDLE_MS = 300_000
/** How long a figure of the queue may be shown, however often it is asked for. */
const FRESH_MS = 250

const nameOf = (address: number): string => `modbus/server/${address + 40_001}`

/** @throws CodedError `address-in-use` and the like when the address cannot be used */
export async function startModbusServer(options: ServerOptions): Promise<ModbusServer> {
  const { config, store, clock, log, metrics } = options
  const began = clock.monotonic()
  const allowed = allowedBy(config.allow)
  const mayWrite = allowedBy(options.mayWrite)
  const alerts = new Map(config.alerts.map((alert) => [alert.address, alert]))
  const open = new Set<Socket>()
  let seen: { at: number; depth: QueueDepth } | undefined
  /** Writes one after another: whether a value is new depends on the one before. */
  let turn: Promise<unknown> = Promise.resolve()

  async function picture({ table, address, count }: Extract<Request, { request: 'read' }>): Promise<Picture> {
    const now = clock.monotonic()
    if (seen === undefined || now - seen.at > FRESH_MS) seen = { at: now, depth: await store.depth() }
    const { queued, unknown, oldest } = seen.depth
    const written = new Map<number, number>()
    const words = table === 'holding' || table === 'input'
    for (const asked of words ? alerts.keys() : []) {
      if (asked >= address && asked < address + count) written.set(asked, await lastValue(asked))
    }
    return {
      active: options.active(),
      seconds: Math.floor((now - began) / 1000),
      queued,
      unknown,
      oldest: oldest === undefined ? 0 : (clock.now() - oldest) / 1000,
      lines: options.lines().map((line) => line.status()),
      ...options.polls(),
      written,
    }
  }

  const lastValue = async (address: number): Promise<number> =>
    Number(await store.recall(nameOf(address))) || 0

  async function answer({ pdu }: Frame, from: string): Promise<Uint8Array> {
    const [code = 0] = pdu
    const request = parseRequest(pdu)
    if ('exception' in request) return exceptionAnswer(code, request.exception)
    if (request.request === 'read') {
      const values = readMap(await picture(request), request.table, request.address, request.count)
      return values === undefined ? exceptionAnswer(code, exceptions.address) : readAnswer(request, values)
    }
    if (!mayWrite(from)) {
      metrics.refused('modbus', 'address-not-allowed')
      return exceptionAnswer(code, exceptions.function)
    }
    const written = turn.then(() => (request.request === 'writeBits' ? setCoil(request) : raise(request)))
    turn = written.catch(() => {})
    const exception = await written
    return exception === undefined ? writeAnswer(pdu) : exceptionAnswer(code, exception)
  }

  async function setCoil({
    address,
    bits,
  }: Extract<Request, { request: 'writeBits' }>): Promise<ExceptionCode | undefined> {
    if (address !== ACKNOWLEDGE_COIL || bits.length !== 1) return exceptions.address
    if (bits[0] !== true) return undefined
    return (await options.acknowledge()) ? undefined : exceptions.busy
  }

  async function raise({
    address,
    words,
  }: Extract<Request, { request: 'writeWords' }>): Promise<ExceptionCode | undefined> {
    const writes = words.map((value, n) => ({ value, alert: alerts.get(address + n) }))
    if (writes.some(({ alert }) => alert === undefined)) return exceptions.address
    for (const { value, alert } of writes) {
      const exception = alert === undefined ? undefined : await write(alert, value)
      if (exception !== undefined) return exception
    }
    return undefined
  }

  /** A PLC writes the same value in every cycle, so only another one than before is news; 0 is the end of it. */
  async function write(
    { address, to, text, priority }: ModbusAlertConfig,
    value: number,
  ): Promise<ExceptionCode | undefined> {
    if (value === (await lastValue(address))) return undefined
    if (value !== 0) {
      const register = String(address + 40_001)
      const result = await options.dispatch.submit({
        to,
        text: fill(text, { register, value: String(value) }),
        priority,
        source: `modbus:${register}`,
      })
      switch (result.result) {
        case 'accepted':
          metrics.accepted('modbus')
          break
        case 'invalid':
          metrics.refused('modbus', result.code)
          log.error(
            { register, field: result.field, code: result.code, detail: result.detail },
            'an alert was refused; correct the configuration',
          )
          return exceptions.failure
        default:
          metrics.refused('modbus', result.result === 'full' ? 'disk-full' : 'one-disk')
          return exceptions.busy
      }
    }
    await store.remember(nameOf(address), String(value))
    return undefined
  }

  async function serve(socket: Socket): Promise<void> {
    let bytes: Uint8Array = new Uint8Array()
    // Reading by turns holds the client back while a request is in hand, and with it the buffer.
    for await (const chunk of socket) {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      for (;;) {
        const split = splitFrame(bytes)
        if (split === 'foreign') {
          log.debug({ address: socket.remoteAddress }, 'a client that does not speak Modbus TCP was cut off')
          return
        }
        if (split === 'incomplete') break
        bytes = split.rest
        const { transaction, unit } = split.frame
        const pdu = await answer(split.frame, socket.remoteAddress ?? '').catch((error: unknown) => {
          log.error({ error: errorText(error) }, 'a Modbus request could not be answered')
          return exceptionAnswer(codeOf(split.frame), exceptions.busy)
        })
        if (socket.destroyed) return
        if (!socket.write(encodeFrame({ transaction, unit, pdu }))) await drained(socket)
      }
    }
  }

  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    // A client that hangs up is no fault of ours.
    socket.on('error', () => {})
    if (!allowed(socket.remoteAddress ?? '')) {
      socket.destroy()
      return
    }
    open.add(socket)
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    void serve(socket)
      .catch(() => {})
      .finally(() => {
        open.delete(socket)
        // What was answered still goes out.
        socket.destroySoon()
      })
  })
  server.maxConnections = MOST_CONNECTIONS
  server.on('drop', () =>
    log.warn({ most: MOST_CONNECTIONS }, 'too many Modbus connections; one was refused'),
  )
  await bind(server, config.listen, 'intake.modbus.server.listen')
  server.on('error', (error) => log.error({ error: errorText(error) }, 'the Modbus server reports an error'))
  const bound = server.address()
  return {
    address:
      typeof bound === 'object' && bound !== null
        ? `modbus://${addressText({ host: bound.address, port: bound.port })}`
        : '',
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of open) socket.destroy()
      await closed
      await turn
    },
  }
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', resolve)
  })
