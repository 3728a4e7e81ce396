/**
 * How many mails an appliance takes a second: 20 clients, each with one mail under way, every 250 after the disk. Once
 * with connections that stay, as mail servers keep them, and once with a connection for every mail, as scripts do.
 */
import { connect, type Socket } from 'node:net'
import { type Bench, type Rig, startRig } from '../bench.ts'
import { quantiles, usage } from '../measure.ts'

const CONNECTIONS = 20

interface Load {
  latencies: number[]
  wallS: number
}

/** Reads answers one by one. */
class Dialogue {
  readonly #socket: Socket
  #received = ''
  #take: ((answer: string) => void) | undefined

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
    this.#socket.on('data', (chunk: string) => {
      this.#received += chunk
      const end = this.#received.lastIndexOf('\n')
      const last = this.#received.slice(this.#received.lastIndexOf('\n', end - 1) + 1, end + 1)
      if (end < this.#received.length - 1 || !/^\d{3} /.test(last)) return
      this.#received = ''
      this.#take?.(last)
    })
    this.#socket.on('error', () => this.#take?.('000 connection lost'))
  }

  async say(text: string, code: string): Promise<void> {
    const answer = new Promise<string>((resolve) => {
      this.#take = resolve
    })
    if (text !== '') this.#socket.write(text)
    const got = await answer
    if (!got.startsWith(code)) throw new Error(`wanted ${code}, got ${got}`)
  }

  async greet(): Promise<void> {
    await this.say('', '220')
    await this.say('EHLO bench\r\n', '250')
  }

  end(): void {
    this.#socket.end()
  }
}

async function mail(dialogue: Dialogue, n: number): Promise<void> {
  await dialogue.say('MAIL FROM:<nagios@lan>\r\n', '250')
  await dialogue.say(`RCPT TO:<+4915100${String(n % 100_000).padStart(5, '0')}@sms.test>\r\n`, '250')
  await dialogue.say('DATA\r\n', '354')
  const text = `Message-ID: <${n}@lan>\r\nSubject: Alert ${n}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\npump 3 in station 12 has stopped\r\n.\r\n`
  await dialogue.say(text, '250')
}

/** Mails sent so far: each has a Message-ID of its own. */
let next = 0

async function load(port: number, seconds: number, keep: boolean): Promise<Load> {
  const latencies: number[] = []
  const started = performance.now()
  const over = () => performance.now() - started > seconds * 1_000
  async function client(): Promise<void> {
    let dialogue: Dialogue | undefined
    while (!over()) {
      const begun = performance.now()
      if (dialogue === undefined) {
        dialogue = new Dialogue(port)
        await dialogue.greet()
      }
      await mail(dialogue, next++)
      latencies.push(performance.now() - begun)
      if (keep) continue
      dialogue.end()
      dialogue = undefined
    }
    dialogue?.end()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, client))
  return { latencies, wallS: (performance.now() - started) / 1_000 }
}

async function stored(rig: Rig): Promise<number> {
  const { body } = await rig.appliance.call('GET', '/api/v1/status')
  return Number(JSON.stringify(body).match(/"queued":([0-9]+)/)?.[1] ?? Number.NaN)
}

export async function mailAccepted(bench: Bench): Promise<void> {
  const rig = await startRig(bench, {
    lines: 1,
    networkMs: 0,
    idle: true,
    more: "intake: { smtp: { listen: '127.0.0.1:0', allow: [127.0.0.0/8], auth: optional } }\nvalidity: 7d\n",
  })
  try {
    const port = Number(/smtp:\/\/127\.0\.0\.1:([0-9]+)/.exec(rig.appliance.log())?.[1])
    await load(port, 2, true)
    for (const keep of [true, false]) {
      const before = await stored(rig)
      const { latencies, wallS } = await load(port, bench.seconds, keep)
      const kept = (await stored(rig)) - before
      if (kept !== latencies.length) throw new Error(`${latencies.length} answered with 250, ${kept} stored`)
      const { p50, p99, max } = quantiles(latencies)
      bench.print({
        figure: keep ? 'mail accepted durably' : 'mail accepted durably, a connection a mail',
        value: {
          perSecond: latencies.length / wallS,
          p50,
          p99,
          max,
          rssMB: usage([rig.appliance.pid]).rss / 1e6,
        },
        unit: '1/s, ms, MB',
        under: { connections: CONNECTIONS, seconds: bench.seconds },
        ...(keep ? { reach: '>= 300/s' } : {}),
      })
    }
  } finally {
    await rig.stop()
  }
}
