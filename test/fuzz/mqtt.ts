/**
 * MQTT that nobody means: payloads with spoiled bytes, and a broker that says anything. Found is a request of another
 * shape than acceptance expects, a refusal without a code, and a connection that does not end when it is told to.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { silent } from '#core/log.ts'
import { limits } from '#dispatch/contract.ts'
import { openBroker } from '#intake/mqtt/broker.ts'
import { type Parsed, parsePayload } from '#intake/mqtt/payload.ts'
import { channels, priorities } from '#messages/message.ts'
import { Random } from './random.ts'
import type { FuzzRun, FuzzTarget } from './target.ts'

const PAYLOADS = 200
const LONGEST_CLOSE_MS = 5_000

const payloads = [
  '{"to":["+491701234567"],"text":"Pump 3"}',
  '{"id":"a-1","key":"k","to":"duty","text":"T\\u00fcr \\ud83d\\udca7","priority":0,"validity":"30m","tag":"t","flash":true,"onUnknown":"hold","acknowledge":true}',
  '{"to":[],"text":"","priority":"1","validity":30,"channel":"fax"}',
  '{"__proto__":{"to":["1"]},"constructor":1,"text":"x"}',
  'Pump 3 has stopped\n',
  '{',
  '{"text":null,"to":null,"id":null}',
  '',
] as const

/** What is wrong with what was made of a payload; undefined when nothing is. */
function fault(parsed: Parsed): string | undefined {
  if ('refused' in parsed) {
    const { code, detail } = parsed.refused
    return /^[a-z0-9-]+$/.test(code) && detail.length < 500
      ? undefined
      : `a refusal of ${JSON.stringify(parsed)}`
  }
  const { to, text, channel, priority, validity, flash, tag, key } = parsed.request
  const sound =
    to.every((one) => typeof one === 'string' && one.length > 0 && one.length <= 100) &&
    typeof text === 'string' &&
    text.isWellFormed() &&
    (channel === undefined || channels.includes(channel)) &&
    (priority === undefined || priorities.includes(priority)) &&
    (validity === undefined || Number.isInteger(validity)) &&
    (flash === undefined || typeof flash === 'boolean') &&
    (tag === undefined || typeof tag === 'string') &&
    (key === undefined || (key.key.length > 0 && key.key.length <= limits.idempotencyKey)) &&
    (parsed.id === undefined || /^[A-Za-z0-9._-]{1,64}$/.test(parsed.id))
  return sound ? undefined : `a request of ${JSON.stringify(parsed).slice(0, 400)}`
}

/** CONNACK, SUBACK, a PUBLISH at QoS 1, PUBACK, PINGRESP (MQTT 3.1.1 section 3). */
const packets = [
  [0x20, 2, 0, 0],
  [0x90, 3, 0, 1, 1],
  [0x32, 10, 0, 3, 97, 47, 98, 0, 7, 123, 125, 10],
  [0x40, 2, 0, 1],
  [0xd0, 0],
  [0x3a, 7, 0, 3, 97, 47, 98, 0, 7],
] as const

async function brokers({ seed, until, found }: FuzzRun): Promise<number> {
  const random = new Random(seed)
  const open = new Set<Socket>()
  const liar = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    socket.on('data', () => {
      const right = Buffer.concat(
        Array.from({ length: 1 + random.below(5) }, () =>
          Buffer.from(packets[random.below(packets.length)] ?? []),
        ),
      )
      const said = random.happens(0.2)
        ? random.bytes(random.below(400))
        : random.happens(0.7)
          ? random.spoiled(right)
          : right
      for (const piece of random.pieces(said)) socket.write(piece)
      if (random.happens(0.2)) socket.destroy()
    })
  })
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve))
  const { port } = liar.address() as AddressInfo
  let tried = 0
  while (performance.now() < until) {
    tried += 1
    const arrived = async () => {
      if (random.happens(0.3)) throw new Error('cannot be stored')
    }
    const broker = openBroker({
      broker: { tls: false, host: '127.0.0.1', port },
      client: 'fuzz',
      keepSession: true,
      subscribe: { topic: 'a/b', arrived },
      onUp: () => {},
      onDown: () => {},
      log: silent,
    })
    await pause(20)
    void broker.publish('a/c', 'x', false).catch(() => {})
    const closed = await Promise.race([
      broker.close().then(() => true),
      pause(LONGEST_CLOSE_MS, false, { ref: false }),
    ])
    if (!closed) found(`case ${tried} (seed ${seed}): not closed within ${LONGEST_CLOSE_MS} ms`)
  }
  for (const socket of open) socket.destroy()
  await new Promise((resolve) => liar.close(resolve))
  return tried
}

async function payloadsOf({ seed, until, found }: FuzzRun): Promise<number> {
  let tried = 0
  while (performance.now() < until) {
    for (let n = 0; n < PAYLOADS; n += 1) {
      const random = new Random(seed + tried)
      const plain = Buffer.from(random.one(payloads))
      const payload = random.happens(0.1)
        ? random.bytes(random.below(200))
        : random.happens(0.8)
          ? random.spoiled(plain)
          : plain
      const what = fault(parsePayload(payload, random.happens(0.5) ? ['duty'] : []))
      if (what !== undefined) found(`case ${tried} (seed ${seed + tried}): ${what}`)
      tried += 1
    }
    await new Promise(setImmediate)
  }
  return tried
}

export const mqtt: FuzzTarget = {
  name: 'mqtt',
  async run(run) {
    const [parsed, spoken] = await Promise.all([payloadsOf(run), brokers(run)])
    return parsed + spoken
  },
}
