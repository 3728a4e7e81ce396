/**
 * A modem that has just been found: brought into a known state, asked who it is and what it can (V.250, 6.1 and 6.2;
 * T.31, 8.1; T.32, 8.2), and given its driver.
 */
import { openClass1 } from '../class1/class1-modem.ts'
import { openClass2 } from '../class2/class2-modem.ts'
import type { FaxClass } from '../contract.ts'
import { listedClasses } from '../listed-classes.ts'
import type { ModemPort } from '../modem-port.ts'
import type { KeeperOptions } from './keeper.ts'
import type { ProcessConfig } from './protocol.ts'

const COMMAND_MS = 3_000
/** Class 1 first: there the protocol is ours, and what goes wrong can be seen. */
const preferred: readonly FaxClass[] = ['1', '2.0', '2']

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
  // A modem that knows no caller-ID refuses it, and rings without a number.
  await ask('AT+VCID=1')
  const able = (await ask('AT+FCLASS=?')) ?? []
  const listed = listedClasses(able)
  const classes = preferred.filter((one) => listed.includes(one))
  // A modem may have a class that it does not list (ZyXEL's Class 1 with S57.4=0): the one that is set is tried.
  const tried = config.class !== 'auto' && (await ask(`AT+FCLASS=${config.class}`)) ? config.class : undefined
  if (tried !== undefined) await ask('AT+FCLASS=0')
  const chosen = config.class === 'auto' ? classes[0] : tried
  if (chosen === undefined) {
    const said = able.length === 0 ? 'it does not say which it knows' : `it knows ${able.join(', ')}`
    const wanted = config.class === 'auto' ? 'no fax class that can be used' : `not class ${config.class}`
    return { result: 'fault', reason: { code: 'fax-class', text: `The modem has ${wanted}; ${said}` } }
  }
  const word = async (command: string) => (await ask(command))?.[0]?.replaceAll('"', '') ?? ''
  const identity = {
    manufacturer: await word('AT+GMI'),
    model: await word('AT+GMM'),
    revision: await word('AT+GMR'),
  }
  const { station, ecm, maxRate, answer } = config
  const settings = { station, ecm, maxRate, mostPages: answer.maxPages }
  const modem = chosen === '1' ? openClass1(port, settings) : openClass2(port, settings, chosen)
  return { result: 'ready', modem, identity }
}
