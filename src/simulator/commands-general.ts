/**
 * Commands of ITU-T V.250 and 3GPP TS 27.007 that are not about messages: identity, settings, SIM lock,
 * registration, calls. Each answers as the clause beside it says.
 */
import { type Entry, type Handler, info, numberOr, ok, quoted, type Reply, wrong } from './command.ts'
import { type Device, freshSettings, type RegistrationName } from './device.ts'

const refused: Reply = { cme: 50 }

/** A command that only tells something. */
const tells = (text: (device: Device) => string): Entry => ({
  run: (device, { form }) => (form === 'execute' ? info(text(device)) : form === 'test' ? ok : wrong),
})

const toggle =
  (set: (device: Device, on: boolean) => void): Handler =>
  (device, { values }) => {
    const [digits = ''] = values
    if (digits !== '' && digits !== '0' && digits !== '1') return wrong
    set(device, digits === '1')
    return ok
  }

const accepted: Handler = () => ok

/** V.250, 6.1.1 and 6.1.2: everything set goes back; a call ends. */
const defaults: Handler = (device) => {
  device.endCall()
  device.settings = freshSettings()
  return ok
}

const identity: Entry = {
  run: ({ options }) => info(options.manufacturer, options.model, `Revision: ${options.revision}`),
}

const endCall: Handler = (device) => {
  device.endCall()
  return ok
}

/** V.250, 5.3.2. */
const register: Handler = (device, { form, values }) => {
  const number = Number(values[0])
  if (form === 'read') return info(String(device.settings.registers.get(number) ?? 0).padStart(3, '0'))
  const value = numberOr(values[1], 0)
  if (!(value <= 255)) return wrong
  device.settings.registers.set(number, value)
  return ok
}

/** 27.007, 9.1. */
const reportErrors: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CMEE: (0-2)')
  if (form === 'read') return info(`+CMEE: ${device.settings.errors}`)
  const value = numberOr(values[0], 0)
  if (!(value <= 2)) return refused
  device.settings.errors = value
  return ok
}

/** 27.007, 7.2, 10.1.20, 10.1.22. */
const registration =
  (name: RegistrationName): Handler =>
  (device, { form, values }) => {
    if (form === 'test') return info(`${name}: (0-2)`)
    const mode = device.settings.registrationReports[name]
    if (form === 'read') return info(`${name}: ${mode},${registrationText(device, mode)}`)
    const value = numberOr(values[0], 0)
    if (form !== 'set' || !(value <= 2)) return refused
    device.settings.registrationReports[name] = value
    return ok
  }

/** <stat>, in mode 2 with the place of the cell. */
export function registrationText(device: Device, mode: number): string {
  const stat = device.registration()
  const located = mode === 2 && (stat === 1 || stat === 5)
  return located ? `${stat},"00A1","0000B2C3",7` : String(stat)
}

/** 27.007, 7.3. */
const operator: Handler = (device, { form, values }) => {
  const registered = device.registration() === 1 || device.registration() === 5
  const name = device.options.operator
  if (form === 'read') return info(registered ? `+COPS: 0,0,"${name}",7` : '+COPS: 0')
  if (form === 'test') return info(`+COPS: (2,"${name}","${name}","00101",7),,(0-4),(0-2)`)
  const mode = numberOr(values[0], 0)
  return form === 'set' && mode <= 4 ? ok : refused
}

/** 27.007, 8.3: the right PIN or PUK is answered with OK and the SIM then starts. */
const pin: Handler = (device, { form, values }) => {
  const { sim } = device
  const state = sim.state()
  if (form === 'test') return ok
  if (state === 'absent') return { cme: 10 }
  if (state === 'broken') return { cme: 13 }
  if (form === 'read') return info(`+CPIN: ${state}`)
  if (form !== 'set') return wrong
  const [first, second] = values.map((value) => quoted(value) ?? value)
  if (first === undefined || !/^[0-9]{4,8}$/.test(first)) return refused
  if (state === 'READY') return { cme: 3 }
  if (state === 'SIM PUK' && second === undefined) return { cme: 12 }
  const right = state === 'SIM PIN' ? sim.enterPin(first) : sim.enterPuk(first, second ?? '')
  if (!right) return { cme: sim.state() === 'SIM PUK' && state === 'SIM PIN' ? 12 : 16 }
  device.afterwards(() => {
    device.unsolicited('+CPIN: READY')
    device.unsolicited('SMS READY')
    device.airChanged()
  })
  return ok
}

/** 27.007, 8.65. */
const pinTries: Handler = ({ sim }, { form, values }) => {
  if (form === 'test') return ok
  if (!sim.present) return { cme: 10 }
  const all = [`+CPINR: SIM PIN,${sim.pinTries},3`, `+CPINR: SIM PUK,${sim.pukTries},10`]
  const wanted = quoted(values[0])
  if (form === 'execute') return info(...all)
  const lines = all.filter((line) => line.startsWith(`+CPINR: ${wanted},`))
  return lines.length === 0 ? refused : info(...lines)
}

/** 27.007, 8.2: 1 with a reset, 0 and 4 off the air. */
const functionality: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CFUN: (0,1,4),(0,1)')
  if (form === 'read') return info(`+CFUN: ${device.functionality}`)
  const level = numberOr(values[0], 1)
  const reset = numberOr(values[1], 0)
  if (form !== 'set' || ![0, 1, 4].includes(level) || !(reset <= 1)) return refused
  device.afterwards(() => {
    if (reset === 1) return device.reset()
    if (device.functionality === level) return
    device.functionality = level
    device.airChanged()
  })
  return ok
}

const restart: Handler = (device) => {
  device.afterwards(() => device.reset())
  return ok
}

const characterSets = ['IRA', 'GSM', 'UCS2']

/** 27.007, 5.5. */
const characterSet: Handler = (device, { form, values }) => {
  if (form === 'test') return info(`+CSCS: (${characterSets.map((name) => `"${name}"`).join(',')})`)
  if (form === 'read') return info(`+CSCS: "${device.settings.characterSet}"`)
  const name = quoted(values[0])
  if (name === undefined || !characterSets.includes(name)) return refused
  device.settings.characterSet = name
  return ok
}

/** 27.007, 7.6. */
const callerNumber: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CLIP: (0,1)')
  if (form === 'read') return info(`+CLIP: ${device.settings.callerNumber ? 1 : 0},1`)
  const value = numberOr(values[0], 0)
  if (!(value <= 1)) return refused
  device.settings.callerNumber = value === 1
  return ok
}

/** 27.007, 7.15: the network's answer comes as an unsolicited line. */
const ussd: Handler = (device, { form, values }) => {
  if (form !== 'set') return form === 'test' ? info('+CUSD: (0-2)') : info('+CUSD: 1')
  if (values[1] === undefined) return ok
  if (device.options.ussd === '') return { cme: 100 }
  device.afterwards(() => device.unsolicited(`+CUSD: 0,"${device.options.ussd}",15`))
  return ok
}

/** A setting that exists only so that it can be set and read back; nothing depends on it. */
const fixed = (name: string, value: string): Entry => ({
  run: (_device, { form }) => (form === 'read' ? info(`${name}: ${value}`) : ok),
})

const simIdentity = (prefix: string): Entry => ({
  needsSim: 'cme',
  run: ({ options }, { form }) =>
    form === 'test' ? ok : form === 'set' ? wrong : info(`${prefix}${options.iccid}`),
})

export const generalCommands: Readonly<Record<string, Entry>> = {
  E: { run: toggle((device, on) => (device.settings.echo = on)) },
  V: { run: toggle((device, on) => (device.settings.verbose = on)) },
  Q: { run: toggle((device, on) => (device.settings.quiet = on)) },
  Z: { run: defaults },
  '&F': { run: defaults },
  '&W': { run: accepted },
  '&C': { run: accepted },
  '&D': { run: accepted },
  X: { run: accepted },
  S: { run: register },
  I: identity,
  H: { run: endCall },
  A: { run: (device) => (device.answerCall() ? ok : { error: 'NO CARRIER' }) },
  '+CHUP': { run: endCall },
  '+CGMI': tells(({ options }) => options.manufacturer),
  '+CGMM': tells(({ options }) => options.model),
  '+CGMR': tells(({ options }) => options.revision),
  '+CGSN': tells(({ options }) => options.imei),
  '+GMI': tells(({ options }) => options.manufacturer),
  '+GMM': tells(({ options }) => options.model),
  '+GMR': tells(({ options }) => options.revision),
  '+GSN': tells(({ options }) => options.imei),
  '+GCAP': tells(() => '+GCAP: +CGSM'),
  '+CIMI': { ...tells(({ options }) => options.imsi), needsSim: 'cme' },
  '+CCID': simIdentity('+CCID: '),
  '+ICCID': simIdentity('+ICCID: '),
  '+CICCID': simIdentity('+ICCID: '),
  '+QCCID': simIdentity('+QCCID: '),
  '+CNUM': {
    needsSim: 'cme',
    run: ({ options }) =>
      options.number === ''
        ? ok
        : info(`+CNUM: ,"${options.number}",${options.number.startsWith('+') ? 145 : 129}`),
  },
  '+CMEE': { run: reportErrors },
  '+CPIN': { run: pin },
  '+CPINR': { run: pinTries },
  '+CFUN': { run: functionality },
  '+CRESET': { run: restart },
  '+CREG': { run: registration('+CREG') },
  '+CGREG': { run: registration('+CGREG') },
  '+CEREG': { run: registration('+CEREG') },
  '+COPS': { run: operator, needsSim: 'cme' },
  '+CSQ': {
    run: ({ options }, { form }) =>
      form === 'test'
        ? info('+CSQ: (0-31,99),(0-7,99)')
        : form === 'execute'
          ? info(`+CSQ: ${options.signal},99`)
          : wrong,
  },
  '+CSCS': { run: characterSet },
  '+CLIP': { run: callerNumber },
  '+CRC': fixed('+CRC', '0'),
  '+CUSD': { run: ussd, needsSim: 'cme' },
  '+IPR': fixed('+IPR', '0'),
  '+IFC': fixed('+IFC', '0,0'),
  '+ICF': fixed('+ICF', '3,3'),
  '+CPAS': tells(() => '+CPAS: 0'),
}
