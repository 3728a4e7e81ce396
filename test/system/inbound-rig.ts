/** An appliance with one simulated modem and the real other side of what received messages bring about. */

import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { serveTcp } from '#simulator/serve.ts'
import { type HookSink, type MailSink, startHookSink, startMailSink } from '../notify/sinks.ts'
import { type RunningAppliance, startAppliance, until } from './appliance.ts'

export const SECRET = 'a secret of some length'

export interface InboundRig {
  network: SimulatedNetwork
  mail: MailSink
  hook: HookSink
  box: RunningAppliance
  directory: string
  /** An SMS from a phone to the appliance. */
  receive(from: string, text: string): void
  /** What phones got, as `number: text`. */
  sent(): string[]
  /**
   * Events that the webhook was told, each once: a kill may hide that one was taken, and then it comes again under its
   * id, by which receivers drop it.
   */
  told(): number
  /** Started anew with the same data, after the process was killed. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** @param rules lines of YAML under `inbound:` @param hookMore further keys of the webhook */
export async function startRig(rules: string, hookMore = ''): Promise<InboundRig> {
  const directory = mkdtempSync(join(tmpdir(), 'inbound-'))
  const network = new SimulatedNetwork()
  const options = parseModemOptions({ network: '10', prompt: '0', reports: 'none' }, 0)
  if (isProblem(options)) throw new Error(options.problem)
  const modem = new SimulatedModem(options, undefined, network, 'line0')
  const served = await serveTcp(modem)
  const [mail, hook] = await Promise.all([startMailSink(), startHookSink()])
  const more = [
    `mail: { url: smtp://127.0.0.1:${mail.port}, from: twinline@example.org }`,
    'inbound:',
    `  webhook: { url: ${hook.url}, secret: ${SECRET}, timeout: 2s${hookMore} }`,
    rules,
  ].join('\n')
  const start = async () => {
    const box = await startAppliance({ directory: join(directory, 'box'), ports: [served.address], more })
    await box.ready(1)
    return box
  }
  const rig: InboundRig = {
    network,
    mail,
    hook,
    directory,
    box: await start(),
    receive: (from, text) => void network.send('line0', { from, text }),
    sent: () => network.received().map(({ to, text }) => `${to}: ${text}`),
    told: () => new Set(hook.calls.map(({ body }) => body['id'])).size,
    async restart() {
      rig.box = await start()
    },
    async stop() {
      await rig.box.kill('SIGKILL')
      modem.stop()
      network.stop()
      await Promise.all([served.stop(), mail.stop(), hook.stop()])
      await rm(directory, { recursive: true, force: true })
    },
  }
  return rig
}

/** The first page of something listed. */
export async function items(box: RunningAppliance, path: string): Promise<Record<string, unknown>[]> {
  const { body } = await box.call('GET', path)
  return Array.isArray(body['items']) ? body['items'] : []
}

export { until }
