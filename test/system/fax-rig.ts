/** An appliance with a fax line over the soft modem, and the real other side of what received faxes bring about. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { programAt, type SoftModem, type SoftModemOptions, startSoftModem } from '../fax-modem/soft-modem.ts'
import { type RunningAppliance, startAppliance, until } from './appliance.ts'

/** Of a delivery, what the tests look at. */
export interface DeliveryView {
  state: string
  node: string
  line: string
  confirmed: number
  attempts: number
  possibleDuplicate: boolean
  /** When it goes on, ISO 8601. */
  due: string
  reason?: { code: string; text: string }
  timeline: { event: string; part?: number; node?: string; reason?: { code: string } }[]
}

export interface FaxRig {
  directory: string
  modem: SoftModem
  box: RunningAppliance
  /** Hands a document in over HTTP. @returns the message's id */
  send(file: string, more?: Record<string, string>): Promise<string>
  delivery(id: string): Promise<DeliveryView>
  settled(id: string, state: string): Promise<DeliveryView>
  /** Started anew with the same data and modem, after the process was killed. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export const SPEED = 6
/** Where it is permitted, so that a busy machine does not make the line stutter. */
export const realTimePriority = spawnSync('chrt', ['-f', '40', 'true']).status === 0

/** @param more further lines of YAML, after those of the line @param line further keys of the line */
export async function startFaxRig(
  options: Partial<SoftModemOptions> = {},
  line = '',
  more = '',
): Promise<FaxRig> {
  const directory = mkdtempSync(join(tmpdir(), 'fax-'))
  const modem = await startSoftModem({
    directory: join(directory, 'modem'),
    speed: SPEED,
    realTimePriority,
    ...options,
  })
  const start = async () => {
    const box = await startAppliance({
      directory: join(directory, 'box'),
      ports: [],
      more: `  - { id: fax0, kind: fax, port: 'serial://${modem.port}', station: '+49 30 1'${line.includes('header:') ? '' : ', header: false'}${line} }\n${more}`,
      ...programAt(SPEED),
    })
    await box.ready(1)
    return box
  }
  const rig: FaxRig = {
    directory,
    modem,
    box: await start(),
    send: (file, fields) => sendFax(join(directory, 'box', 'data', 'control.sock'), file, fields),
    async delivery(id) {
      const { body } = await rig.box.call('GET', `/api/v1/messages/${id}`)
      const [delivery] = Array.isArray(body['deliveries']) ? body['deliveries'] : []
      return { ...delivery, timeline: body['timeline'] }
    },
    async settled(id, state) {
      await until(async () => (await rig.delivery(id)).state === state, `the fax is ${state}`, 60_000).catch(
        async (error: unknown) => {
          throw new Error(
            `${String(error)}: ${JSON.stringify(await rig.delivery(id))}\n${rig.box.log().slice(-3_000)}`,
          )
        },
      )
      return rig.delivery(id)
    },
    async restart() {
      rig.box = await start()
    },
    async stop() {
      await rig.box.kill('SIGKILL')
      await modem.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
  return rig
}

/** Hands a document in as a form, over a control socket. @returns the message's id */
export async function sendFax(
  socketPath: string,
  file: string,
  fields: Record<string, string> = {},
): Promise<string> {
  const form = new FormData()
  for (const [name, value] of Object.entries({ to: '+49 30 555', channel: 'fax', ...fields }))
    form.set(name, value)
  form.set('document', new Blob([readFileSync(file)]), 'document.tif')
  const coded = new Response(form)
  const body = Buffer.from(await coded.arrayBuffer())
  const headers = { 'content-type': coded.headers.get('content-type') ?? '', 'content-length': body.length }
  const asked = request({ socketPath, method: 'POST', path: '/api/v1/messages', headers })
  asked.end(body)
  const [response] = await once(asked, 'response')
  const text: string = await new Response(Readable.toWeb(response)).text()
  if (response.statusCode !== 202) throw new Error(`${response.statusCode} ${text}`)
  return String(JSON.parse(text).id)
}

/** What a member answers with over its control socket, as bytes. */
export async function fetchOver(
  socketPath: string,
  path: string,
): Promise<{ status: number; body: Buffer; tag?: string | undefined }> {
  const asked = request({ socketPath, path: `/api/v1${path}` })
  asked.end()
  const [response] = await once(asked, 'response')
  const body = Buffer.from(await new Response(Readable.toWeb(response)).arrayBuffer())
  return { status: Number(response.statusCode), body, tag: response.headers.etag }
}

export { until }
