/**
 * What a message costs on the line beside while a fax goes out: rounds with a fax and rounds without one in turn, and the
 * ratio of each round to its neighbour, so that whatever else the machine does falls on both.
 */
import { join } from 'node:path'
import { chart } from '../../fax-modem/pages.ts'
import { until } from '../../system/appliance.ts'
import { sendFax } from '../../system/fax-rig.ts'
import { alert, postMessages } from '../load.ts'
import { lineFigures } from '../measure.ts'
import { controlSocket, type Rig, sent, withRig } from './rig.ts'
import type { FaxBench } from './rows.ts'

const NETWORK_MS = 50
/** At the network's 50 ms each they last from the first tone of a call of half a page nearly to the last. */
const MESSAGES = 350
const ROWS = 1_200
const PAIRS = 6

/** Of a message, ms: the gateway's own time from the answer to the one before to its end. */
interface Round {
  p50: number
  mean: number
}

export async function deadTime({ directory, print }: FaxBench): Promise<void> {
  const gsm = { network: String(NETWORK_MS), reports: 'none' }
  await withRig(directory('dead-time'), { gsm }, async (rig) => {
    const file = chart(join(rig.folder, 'page.tif'), { rows: ROWS })
    const token = await rig.box.token()
    const without = () => messages(rig, token, MESSAGES)
    const during = async () => {
      const id = await sendFax(controlSocket(rig), file)
      await rig.modem.next('connected')
      const round = await messages(rig, token, MESSAGES)
      await sent(rig, id, 240_000)
      return round
    }
    await messages(rig, token, 40)
    const pairs: { without: Round; during: Round }[] = []
    for (let pair = 0; pair < PAIRS; pair++) {
      // What grows with time falls on both.
      const first = pair % 2 === 0 ? await without() : await during()
      const second = pair % 2 === 0 ? await during() : await without()
      pairs.push(pair % 2 === 0 ? { without: first, during: second } : { without: second, during: first })
    }
    print({
      figure: 'dead time of an SMS line: its own time a message, without and with a fax on another line',
      value: {
        without: median(pairs.map((pair) => pair.without.p50)),
        with: median(pairs.map((pair) => pair.during.p50)),
        ratio: median(pairs.map((pair) => pair.during.p50 / pair.without.p50)),
        ratioOfMeans: median(pairs.map((pair) => pair.during.mean / pair.without.mean)),
      },
      unit: 'ms',
      under: { networkMs: NETWORK_MS, messagesARound: MESSAGES, pairsOfRounds: PAIRS },
      reach: 'ratio ≤ 1.10',
    })
  })
}

async function messages({ box, gsm }: Rig, token: string, count: number): Promise<Round> {
  if (!gsm) throw new Error('no modem for short messages')
  const before = await gsm.count()
  await postMessages(box.address, token, { connections: 4, count, withinMs: 30_000, body: alert })
  await until(async () => (await gsm.count()) >= before + count, `${count} answers`, 180_000)
  const { record } = await gsm.record()
  const figures = lineFigures(record.slice(before), 1)
  if (!figures) throw new Error('no figures')
  return { p50: figures.ownMs.p50, mean: NETWORK_MS / figures.utilisation - NETWORK_MS }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return ((sorted[half] ?? 0) + (sorted[sorted.length - 1 - half] ?? 0)) / 2
}
