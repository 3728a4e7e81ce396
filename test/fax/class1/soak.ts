/**
 * Fax calls of every kind over soft modems for as long as asked: npm run soak:fax -- [--calls 120] [--parallel 3]
 * [--speed 25] [--seed 1] [--noise 0.3] [--class 1|2|2.0] [--only N, with its dialogue]. Direction, speed, coding, error correction, pages, resolutions and noise are drawn by the seed.
 *
 * A clean call must bring every row over; on a noisy line no page may count as sent that was not received, and every call
 * must end with a result. Prints one line a call; ends with 1 when one went wrong, after its dialogue.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openClass1 } from '#fax/class1/class1-modem.ts'
import { openClass2 } from '#fax/class2/class2-modem.ts'
import type { FaxClass, FaxSettings } from '#fax/contract.ts'
import type { ModemPort } from '#fax/modem-port.ts'
import { chart, differences, pagesOf } from '../../fax-modem/pages.ts'
import { type SoftModemOptions, startSoftModem } from '../../fax-modem/soft-modem.ts'
import { openDriver, receiveFax, sendFax } from './class1-bench.ts'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '120' },
    parallel: { type: 'string', default: '3' },
    speed: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    noise: { type: 'string', default: '0.3' },
    class: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
})

function kindOf(text: string): FaxClass {
  const kind = (['1', '2', '2.0'] as const).find((one) => one === text)
  if (kind === undefined) throw new Error('--class is 1, 2 or 2.0')
  return kind
}

/** What every call of this run is made with. */
const kind = kindOf(values.class)
const driverOf = (port: ModemPort, own: FaxSettings) =>
  kind === '1' ? openClass1(port, own) : openClass2(port, own, kind)

interface Plan {
  way: 'send' | 'receive' | 'pair'
  own: FaxSettings
  soft: Omit<SoftModemOptions, 'directory'>
  pages: number
  rows: number
  resolution: 98 | 196
  /** Every second page is of the other resolution. */
  mixed: boolean
  noisy: boolean
}

/** mulberry32: the same calls for the same seed. */
function chance(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

function draw(number: number): Plan {
  const random = chance(Number(values.seed) * 1_000_003 + number)
  const one = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0]
  const noisy = random() < Number(values.noise)
  const ecm = random() < 0.5
  const pages = 1 + Math.floor(random() * 5)
  const own: FaxSettings = {
    station: '+49 30 1234567',
    ecm,
    maxRate: one([14400, 14400, 12000, 9600, 7200, 4800, 2400]),
  }
  const burst = () => ({
    at: 6 + random() * 90,
    length: 0.05 + random() * 0.8,
    // Of four one is no noise: the line is silent.
    level: random() < 0.25 ? -99 : -30 + random() * 22,
  })
  return {
    way: one(['send', 'receive', 'pair']),
    own,
    soft: {
      speed: Number(values.speed),
      patience: 2,
      ecm: random() < 0.8,
      codings: one(['MH', 'MR', 'MMR']),
      maxRate: one([14400, 14400, 9600, 4800]),
      ...(noisy ? { bursts: Array.from({ length: 1 + Math.floor(random() * 8) }, burst) } : {}),
    },
    pages,
    rows: own.maxRate < 9600 ? 200 : one([50, 600, 2200, 3300]),
    resolution: one([98, 196]),
    mixed: random() < 0.3,
    noisy,
  }
}

interface Outcome {
  said: string
  /** What must not be. */
  wrong: string[]
  dialogue: string
}

async function call(plan: Plan, directory: string): Promise<Outcome> {
  const { way, own, pages } = plan
  const modem = await startSoftModem({
    seconds: 3_000,
    class: kind,
    ...plan.soft,
    pair: way === 'pair',
    directory,
  })
  const first = await openDriver(modem.port, modem.timing, own, driverOf)
  const second = way === 'pair' ? await openDriver(modem.secondPort, modem.timing, own, driverOf) : undefined
  try {
    const file = chart(join(directory, 'sent.tif'), plan)
    if (way === 'receive') modem.ring('1234', file)
    const [out, back] = await Promise.all([
      way === 'receive' ? undefined : sendFax(first, file, pages),
      way === 'send' ? undefined : receiveFax(second ?? first, directory),
    ])
    const end = way === 'pair' ? undefined : await modem.next('far-end')
    const theirs = join(directory, 'call-1.tif')
    const complete = back?.pages.filter((page) => page.complete).length ?? end?.received ?? 0
    const confirmed = out?.confirmed.length ?? end?.sent ?? 0
    const exact = !plan.noisy || (back?.result.result !== 'no-fax' && back?.result.facts.ecm === true)
    const whole = out ? out.result.result === 'sent' : back?.result.result === 'received'
    const wrong: string[] = []
    if (!plan.noisy && !whole) wrong.push('a clean call failed')
    if (confirmed > complete) wrong.push(`${confirmed} pages confirmed, ${complete} received`)
    if (whole && exact) wrong.push(...differences(file, back ? back.file : theirs))
    if (out?.result.result === 'sent' && !back && pagesOf(theirs).length < pages)
      wrong.push('pages are missing')
    const said = JSON.stringify([out?.result, back?.result].filter((result) => result !== undefined))
    return {
      said,
      wrong,
      dialogue: `${first.dialogue()}\n${second?.dialogue() ?? ''}\n${JSON.stringify(modem.events)}`,
    }
  } finally {
    await first.close()
    await second?.close()
    await modem.stop()
  }
}

const calls = values.only === undefined ? Number(values.calls) : Number(values.only) + 1
let next = values.only === undefined ? 0 : Number(values.only)
let failed = 0
let sent = 0
async function worker(): Promise<void> {
  while (next < calls) {
    const number = next++
    const plan = draw(number)
    const directory = mkdtempSync(join(tmpdir(), 'twinline-soak-fax-'))
    const { said, wrong, dialogue } = await call(plan, directory)
    if (/"result":"(sent|received)"/.test(said)) sent++
    const { way, own, soft, pages, rows, noisy } = plan
    process.stdout.write(
      `${number} ${way} ${pages}×${rows} ${own.maxRate}/${soft.maxRate} ${own.ecm && soft.ecm ? 'ecm ' : ''}${noisy ? 'noise ' : ''}${said}\n`,
    )
    rmSync(directory, { recursive: true, force: true })
    if (values.only !== undefined) process.stdout.write(`${dialogue}\n`)
    if (wrong.length === 0) continue
    failed++
    process.stderr.write(`call ${number} of seed ${values.seed}: ${wrong.join('; ')}\n${dialogue}\n`)
  }
}

await Promise.all(Array.from({ length: Number(values.parallel) }, worker))
process.stdout.write(`${JSON.stringify({ calls, complete: sent, wrong: failed })}\n`)
process.exit(failed > 0 ? 1 : 0)
