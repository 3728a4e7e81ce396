/** Figures of a fax line in an appliance, as a process: kill -9, command turnaround on a busy machine, other lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { chart, pagesOf } from '../../fax-modem/pages.ts'
import { type SoftModem, type SoftModemOptions, startSoftModem } from '../../fax-modem/soft-modem.ts'
import { type RunningAppliance, startAppliance, until } from '../../system/appliance.ts'
import { sendFax } from '../../system/fax-rig.ts'
import { alert, postMessages } from '../load.ts'
import { lineFigures } from '../measure.ts'
import { type Modems, startModems } from '../modems.ts'
import type { FaxBench } from './rows.ts'

interface Rig {
  folder: string
  modem: SoftModem
  box: RunningAppliance
  gsm: Modems | undefined
  stop(): Promise<void>
}

interface Setting extends Partial<SoftModemOptions> {
  /** A line for short messages too. */
  gsm?: boolean
}

async function startBox(
  folder: string,
  modem: SoftModem,
  speed: number,
  gsm: readonly string[],
): Promise<RunningAppliance> {
  const box = await startAppliance({
    directory: join(folder, 'box'),
    ports: gsm.map((port) => `serial://${port}?baud=115200`),
    more: `  - { id: fax0, kind: fax, port: 'serial://${modem.port}', station: '+49 30 1', header: false, retry: { protocol: 1s } }\n`,
    environment: { TWINLINE_FAX_SPEED: String(speed) },
  })
  await box.ready(gsm.length + 1)
  return box
}

async function startRig(folder: string, { gsm, speed = 1, ...options }: Setting): Promise<Rig> {
  const modem = await startSoftModem({
    directory: join(folder, 'modem'),
    speed,
    realTimePriority: speed === 1,
    ...options,
  })
  const phones = gsm
    ? await startModems(join(folder, 'gsm'), 1, { network: '200', reports: 'none' })
    : undefined
  const rig: Rig = {
    folder,
    modem,
    gsm: phones,
    box: await startBox(folder, modem, speed, phones?.ports ?? []),
    async stop() {
      await rig.box.kill('SIGKILL')
      await phones?.stop()
      await modem.stop()
    },
  }
  return rig
}

async function withRig<T>(folder: string, setting: Setting, body: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = await startRig(folder, setting)
  try {
    return await body(rig)
  } finally {
    await rig.stop()
  }
}

const controlSocket = ({ folder }: Rig) => join(folder, 'box', 'data', 'control.sock')

async function delivery({ box }: Rig, id: string): Promise<Record<string, unknown>> {
  const { body } = await box.call('GET', `/api/v1/messages/${id}`)
  const [first] = Array.isArray(body['deliveries']) ? body['deliveries'] : []
  return first ?? {}
}

async function sent(rig: Rig, id: string, within: number): Promise<Record<string, unknown>> {
  await until(async () => (await delivery(rig, id))['state'] === 'sent', 'the fax is sent', within)
  return delivery(rig, id)
}

/** kill -9 while page 2 of 5 goes out, and a new start with the same data. */
export async function killed({ directory, print }: FaxBench): Promise<void> {
  const speed = 8
  const rounds = 3
  let resumed = 0
  let repeated = 0
  for (let round = 0; round < rounds; round++) {
    await withRig(directory('killed'), { speed }, async (rig) => {
      const file = chart(join(rig.folder, 'five.tif'), { pages: 5, rows: 1_000 })
      const id = await sendFax(controlSocket(rig), file)
      await until(async () => (await delivery(rig, id))['confirmed'] === 1, 'page 1 is confirmed', 60_000)
      await rig.box.kill('SIGKILL')
      rig.box = await startBox(rig.folder, rig.modem, speed, [])
      const end = await sent(rig, id, 90_000).catch(async (error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(await delivery(rig, id))}`)
      })
      const [first, second] = [await rig.modem.next('far-end'), await rig.modem.next('far-end')]
      const pages = pagesOf(file)
      const came = pagesOf(second.file ?? '')
      const whole =
        first.received === 1 &&
        came.length === 4 &&
        came.every(({ bits }, n) => pages[n + 1]?.bits.equals(bits))
      if (whole && end['attempts'] === 2) resumed += 1
      if ((first.received ?? 0) + (second.received ?? 0) > 5) repeated += 1
    })
  }
  print({
    figure: 'kill -9 during page 2 of 5',
    value: { resumedAtPage2: resumed, repeatedAConfirmedPage: repeated },
    unit: `of ${rounds}`,
    under: { speed },
    reach: `${rounds} and 0`,
  })
}

/** Both cores occupied by programs of ordinary priority. */
function occupyCores(): { stop(): void } {
  const children: ChildProcess[] = cpus().map(() =>
    spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(Math.random())'], { stdio: 'ignore' }),
  )
  return {
    stop() {
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

/** From a result code of the modem to the first byte of what the line answers with, as the modem sees it. */
export async function turnaround({ directory, print }: FaxBench): Promise<void> {
  await withRig(directory('turnaround'), {}, async (rig) => {
    const file = chart(join(rig.folder, 'page.tif'), { pages: 12, rows: 150, resolution: 98 })
    const load = occupyCores()
    try {
      const id = await sendFax(controlSocket(rig), file)
      await sent(rig, id, 240_000)
    } finally {
      load.stop()
    }
    const ended = await rig.modem.next('hung-up')
    const { answers = 0, answerMedian = 0, answerP99 = 0, answerMax = 0, longestAfterData = 0 } = ended
    print({
      figure: 'command turnaround, all cores busy',
      value: { p50: answerMedian, p99: answerP99, max: answerMax, afterPageWithIntent: longestAfterData },
      unit: 'ms',
      under: {
        commands: answers,
        pages: 12,
        late: rig.modem.events.filter(({ event }) => event === 'late').length,
      },
      reach: 'p99 ≤ 50',
    })
  })
}

/** What a message costs on the line beside: without a fax, and while one goes out. */
export async function deadTime({ directory, print }: FaxBench): Promise<void> {
  await withRig(directory('dead-time'), { gsm: true }, async (rig) => {
    const { gsm } = rig
    if (!gsm) throw new Error('no modem for short messages')
    const token = await rig.box.token()
    let done = 0
    const messages = async (count: number) => {
      const before = done
      await postMessages(rig.box.address, token, { connections: 4, count, withinMs: 30_000, body: alert })
      done += count
      await until(async () => (await gsm.count()) >= done, `${done} answers`, 180_000)
      const { record } = await gsm.record()
      const figures = lineFigures(record.slice(before), 1)
      if (!figures) throw new Error('no figures')
      return figures
    }
    await messages(20)
    const without = await messages(120)
    const file = chart(join(rig.folder, 'page.tif'), { pages: 2, rows: 2_200 })
    const id = await sendFax(controlSocket(rig), file)
    await rig.modem.next('connected')
    const during = await messages(120)
    await sent(rig, id, 240_000)
    const idle = (share: number) => (1 - share) * 100
    print({
      figure: 'dead time of an SMS line, without and with a fax on another line',
      value: {
        without: idle(without.utilisation),
        with: idle(during.utilisation),
        ownP50Without: without.ownMs.p50,
        ownP50With: during.ownMs.p50,
      },
      unit: '% (own time a message: ms)',
      under: { networkMs: 200, messages: 120 },
      reach: 'within 10 %',
    })
  })
}
