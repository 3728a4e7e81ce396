/**
 * Modbus that nobody means, both ways: frames with spoiled bytes, in pieces, cut off anywhere, to the server; and
 * devices that answer the poller with anything. Found is an alert that no client was answered for, one that no written
 * value asked for, a question that stays open, and a good client that waits for longer than a second.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createDevice } from '#intake/modbus/device.ts'
import { type ServerOptions, startModbusServer } from '#intake/modbus/server.ts'
import { acceptance, common } from '../intake/modbus/rig.ts'
import { Random } from './random.ts'
import type { FuzzRun, FuzzTarget } from './target.ts'

const LONGEST_ANSWER_MS = 1_000
/** A question has deadlines for connecting, answering and closing. */
const LONGEST_QUESTION_MS = 8_000
const DEVICES = 8

const frame = (random: Random): Buffer => {
  const pdus = [
    [3, 0, 0, 0, 12],
    [4, 0, 20, 0, 32],
    [1, 0, 0, 0, 32],
    [2, 0, 0, 0, 17],
    [3, 0, 90, 0, 74],
    [6, 0, 100, 0, random.below(3)],
    [16, 0, 100, 0, 2, 4, 0, random.below(3), 0, random.below(3)],
    [5, 0, 0, 0xff, 0],
    [15, 0, 0, 0, 1, 1, 1],
    [43, 14, 1, 0],
    [],
  ] as const
  const pdu = random.happens(0.2)
    ? random.bytes(random.below(260))
    : Buffer.from(pdus[random.below(pdus.length)] ?? [])
  const header = Buffer.from([random.below(256), random.below(256), 0, 0, 0, 0, random.below(256)])
  header.writeUInt16BE(random.happens(0.1) ? random.below(65_536) : pdu.length + 1, 4)
  return Buffer.concat([header, pdu])
}

/** The frames that are answered to a stream, by their function code. */
function codesIn(answers: Buffer): number[] {
  const codes: number[] = []
  for (let at = 0; at + 8 <= answers.length; at += 6 + answers.readUInt16BE(at + 4))
    codes.push(answers[at + 7] ?? 0)
  return codes
}

async function server(seed: number, { until, found }: FuzzRun): Promise<number> {
  const taken = acceptance()
  const facts = new Map<string, string>()
  const store: ServerOptions['store'] = {
    recall: async (name) => facts.get(name),
    remember: async (name, value) => {
      facts.set(name, value)
    },
    depth: async () => ({ queued: 1, submitting: 0, awaitingReport: 0, unknown: 0, oldest: 1 }),
  }
  const alert = { to: ['+491710001'], text: '{value}', priority: 1 } as const
  const modbus = await startModbusServer({
    ...common,
    config: {
      listen: { host: '127.0.0.1', port: 0 },
      alerts: [100, 101].map((address) => ({ address, ...alert, to: [...alert.to] })),
    },
    dispatch: taken.dispatch,
    store,
    lines: () => [],
    active: () => true,
    polls: () => ({ alarms: 0, lost: 0, awaiting: 0 }),
    acknowledge: async () => true,
  })
  const port = Number(new URL(modbus.address).port)
  let tried = 0
  while (performance.now() < until) {
    const random = new Random(seed + tried)
    const whole = Buffer.concat(Array.from({ length: 1 + random.below(12) }, () => frame(random)))
    const bytes = random.happens(0.5) ? random.spoiled(whole) : whole
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    const answers: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answers.push(chunk))
    // Cut off for what followed, it may have lost the answers to what went before.
    let cutOff = false
    socket.on('close', () => {
      cutOff = true
    })
    for (const piece of random.pieces(bytes)) {
      socket.write(piece)
      if (random.happens(0.1)) await new Promise(setImmediate)
    }
    const hangsUp = random.happens(0.3)
    if (hangsUp) socket.resetAndDestroy()
    const good = await goodClient(port)
    const tell = (what: string) => found(`case ${tried} (seed ${seed + tried}): ${what}`)
    if (!good) tell(`a good client got no answer within ${LONGEST_ANSWER_MS} ms`)
    // Requests of other connections are handled in turn, so by now those of this one have been, unless they wait for bytes.
    if (!hangsUp) await pause(2)
    const made = taken.taken.splice(0)
    const writes = codesIn(Buffer.concat(answers)).filter((code) => code === 6 || code === 16).length
    if (!cutOff && made.length > writes * 2) tell(`${made.length} alerts, and ${writes} writes were answered`)
    if (made.some(({ text }) => !/^[1-9][0-9]{0,4}$/.test(text))) tell(`an alert of ${JSON.stringify(made)}`)
    socket.destroy()
    tried += 1
  }
  await modbus.stop()
  return tried
}

async function goodClient(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  socket.write(Buffer.from('000100000006010300000001', 'hex'))
  const answered = once(socket, 'data').then(
    ([data]: Buffer[]) => data?.toString('hex') === '00010000000501030200' + '01',
  )
  const good = await Promise.race([answered, pause(LONGEST_ANSWER_MS, false, { ref: false })])
  socket.destroy()
  return good
}

/** A device that answers with what it was asked, spoiled, or with anything, or hangs up. */
async function devices(seed: number, { until, found }: FuzzRun): Promise<number> {
  let tried = 0
  const random = new Random(seed)
  const liar = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (asked: Buffer) => {
      const right = Buffer.concat([
        asked.subarray(0, 4),
        Buffer.from([0, 7, asked[6] ?? 0, asked[7] ?? 0, 4, 1, 2, 3, 4]),
      ])
      const answer = random.happens(0.2)
        ? random.bytes(random.below(300))
        : random.happens(0.8)
          ? random.spoiled(right)
          : right
      for (const piece of random.pieces(answer)) socket.write(piece)
      if (random.happens(0.5)) socket.destroy()
    })
  })
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve))
  const { port } = liar.address() as AddressInfo
  const ask = async () => {
    const device = createDevice({ scheme: 'tcp', host: '127.0.0.1', port })
    const tables = ['coil', 'discrete', 'input', 'holding'] as const
    while (performance.now() < until) {
      tried += 1
      const question = device.ask({ unit: 1, table: random.one(tables), address: 1, count: 2 })
      const answer = await Promise.race([question, pause(LONGEST_QUESTION_MS, undefined, { ref: false })])
      if (answer === undefined) found(`a question stayed open for ${LONGEST_QUESTION_MS} ms`)
      if (
        answer &&
        'words' in answer &&
        !answer.words.every((word) => Number.isInteger(word) && word >= 0 && word < 65_536)
      )
        found(`words that are none: ${JSON.stringify(answer)}`)
    }
    await device.close()
  }
  await Promise.all(Array.from({ length: DEVICES }, ask))
  await new Promise((resolve) => liar.close(resolve))
  return tried
}

export const modbus: FuzzTarget = {
  name: 'modbus',
  async run(run) {
    const [served, asked] = await Promise.all([server(run.seed, run), devices(run.seed, run)])
    return served + asked
  },
}
