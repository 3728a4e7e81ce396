/**
 * A modem that has just been found: brought into a known state, asked who it is and what it can (V.250, 6.1 and 6.2;
 * T.31, 8.1; T.32, 8.2), and given its driver.
 */
import { usbIdOf } from '#lines/usb-id.ts'
import { openClass1 } from '../class1/class1-modem.ts'
import { openClass2 } from '../class2/class2-modem.ts'
import type { FaxClass } from '../contract.ts'
import { listedClasses } from '../listed-classes.ts'
import type { ModemPort } from '../modem-port.ts'
import { classesToTry, profileFor } from './identify.ts'
import type { KeeperOptions } from './keeper.ts'
import type { ProcessConfig } from './protocol.ts'

const COMMAND_MS = 3_000
/** V.253, and what Rockwell's chips had before it. */
const callerIds: readonly string[] = ['AT+VCID=1', 'AT#CID=1']

/** Never rejects. */
export async function prepareModem(
  port: ModemPort,
  config: ProcessConfig,
  signal: AbortSignal,
): ReturnType<KeeperOptions['prepare']> {
  if (!(await port.resync())) return { result: 'silent' }
  const ask = async (command: string): Promise<readonly string[] | undefined> => {
    if (signal.aborted) return undefined
    const reply = await port.command(command, { within: COMMAND_MS })
    return reply.how === 'code' && reply.code === 'OK' ? reply.lines : undefined
  }
  // A call that a process before this one left open: a modem at a device server does not notice that its program is gone.
  await ask('ATH')
  // No echo, results as words, no answering by itself.
  await ask('ATE0V1Q0')
  await ask('ATS0=0')
  const words = async (command: string) =>
    ((await ask(command)) ?? []).map((line) => line.replaceAll('"', '').trim())
  const [manufacturer = '', model = '', revision = '', ...more] = [
    (await words('AT+GMI'))[0],
    (await words('AT+GMM'))[0],
    (await words('AT+GMR'))[0],
    // What most modems have from before V.250.
    ...(await words('ATI3')),
    ...(await words('ATI')),
  ]
  const said = [manufacturer, model, revision, ...more.filter((line) => line !== undefined)]
  const { port: address } = config
  const usb = address.scheme === 'serial' ? await usbIdOf(address.path) : ''
  const profile = profileFor(config, said, usb)
  if (profile?.needsWires && address.scheme === 'serial' && !address.rtscts) {
    const text = `This modem (${profile.name}) knows flow control by RTS and CTS only: add rtscts=true to its port`
    return { result: 'fault', reason: { code: 'fax-needs-wires', text } }
  }
  for (const command of profile?.init ?? []) await ask(command)
  // A modem that knows no caller-ID refuses it, and rings without a number.
  for (const command of profile?.callerId === undefined ? callerIds : [profile.callerId])
    if (await ask(command)) break
  if (config.answer.distinctive.length > 0 && profile?.distinctive !== undefined)
    await ask(profile.distinctive)
  const able = (await ask('AT+FCLASS=?')) ?? []
  let chosen: FaxClass | undefined
  for (const one of classesToTry(config.class, listedClasses(able), profile)) {
    if (!(await ask(`AT+FCLASS=${one}`))) continue
    chosen = one
    break
  }
  if (chosen === undefined) {
    const said = able.length === 0 ? 'it does not say which it knows' : `it knows ${able.join(', ')}`
    const wanted = config.class === 'auto' ? 'no fax class that can be used' : `not class ${config.class}`
    return { result: 'fault', reason: { code: 'fax-class', text: `The modem has ${wanted}; ${said}` } }
  }
  await ask('AT+FCLASS=0')
  const { station, ecm, maxRate, answer } = config
  const settings = { station, ecm, maxRate, mostPages: answer.maxPages }
  const modem =
    chosen === '1' ? openClass1(port, settings) : openClass2(port, settings, chosen, profile?.class2Faults)
  return {
    result: 'ready',
    modem,
    identity: { manufacturer, model, revision },
    ...(profile === undefined ? {} : { profile: profile.name }),
  }
}
