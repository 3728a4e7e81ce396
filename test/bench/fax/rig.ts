/** An appliance with a fax line at a soft modem, and a line for short messages where one is wanted. */
import { join } from 'node:path'
import {
  programAt,
  type SoftModem,
  type SoftModemOptions,
  startSoftModem,
} from '../../fax-modem/soft-modem.ts'
import { type RunningAppliance, startAppliance, until } from '../../system/appliance.ts'
import { type Modems, startModems } from '../modems.ts'

export interface Rig {
  folder: string
  modem: SoftModem
  box: RunningAppliance
  gsm: Modems | undefined
  stop(): Promise<void>
}

interface Setting extends Partial<SoftModemOptions> {
  /** A line for short messages too; what its modem is told (`twinline simulate`). */
  gsm?: Readonly<Record<string, string>>
}

export async function startBox(
  folder: string,
  modem: SoftModem,
  speed: number,
  gsm: readonly string[],
): Promise<RunningAppliance> {
  const box = await startAppliance({
    directory: join(folder, 'box'),
    ports: gsm.map((port) => `serial://${port}?baud=115200`),
    more: `  - { id: fax0, kind: fax, port: 'serial://${modem.port}', station: '+49 30 1', header: false, retry: { protocol: 1s } }\n`,
    ...programAt(speed),
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
  const phones = gsm && (await startModems(join(folder, 'gsm'), 1, gsm))
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

export async function withRig<T>(
  folder: string,
  setting: Setting,
  body: (rig: Rig) => Promise<T>,
): Promise<T> {
  const rig = await startRig(folder, setting)
  try {
    return await body(rig)
  } finally {
    await rig.stop()
  }
}

export const controlSocket = ({ folder }: Rig) => join(folder, 'box', 'data', 'control.sock')

export async function delivery({ box }: Rig, id: string): Promise<Record<string, unknown>> {
  const { body } = await box.call('GET', `/api/v1/messages/${id}`)
  const [first] = Array.isArray(body['deliveries']) ? body['deliveries'] : []
  return first ?? {}
}

export async function sent(rig: Rig, id: string, within: number): Promise<Record<string, unknown>> {
  await until(async () => (await delivery(rig, id))['state'] === 'sent', 'the fax is sent', within)
  return delivery(rig, id)
}
