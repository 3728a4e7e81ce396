/**
 * Message commands of 3GPP TS 27.005 in PDU mode. Text mode is refused: the gateway must not need it.
 */
import { type Entry, type Handler, info, numberOr, ok, quoted, type Reply, wrong } from './command.ts'
import { type Device, type StoreName, stored } from './device.ts'

const notSupported: Reply = { cms: 303 }
const badParameter: Reply = { cms: 304 }
const badIndex: Reply = { cms: 321 }

/** 3.2.3. */
const format: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CMGF: (0)')
  if (form === 'read') return info('+CMGF: 0')
  const value = numberOr(values[0], 0)
  if (value === 1) device.violate('text-mode', 'AT+CMGF=1')
  return value === 0 ? ok : notSupported
}

/** 3.2.1. */
const service: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CSMS: (0,1)')
  if (form === 'read') return info(`+CSMS: ${device.settings.service},1,1,1`)
  const value = numberOr(values[0], 0)
  if (!(value <= 1)) return notSupported
  device.settings.service = value
  return info('+CSMS: 1,1,1')
}

const storeName = (value: string | undefined): StoreName | undefined => {
  const name = quoted(value)
  if (name === 'SM' || name === 'ME') return name
  // MT stands for both; the modem's own store is the larger one.
  return name === 'MT' ? 'ME' : undefined
}

/** 3.2.2. */
const preferredStores: Handler = (device, { form, values }) => {
  const { settings, stores } = device
  if (form === 'test') return info('+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")')
  const usage = (name: StoreName) => `${stores[name].slots.size},${stores[name].capacity}`
  if (form === 'read')
    return info(`+CPMS: ${settings.stores.map((name) => `"${name}",${usage(name)}`).join(',')}`)
  if (values.length > 3) return badParameter
  const chosen = values.map(storeName)
  const [first, second = settings.stores[1], third = settings.stores[2]] = chosen
  if (first === undefined || chosen.includes(undefined)) return { cms: 302 }
  settings.stores = [first, second, third]
  return info(`+CPMS: ${settings.stores.map(usage).join(',')}`)
}

/** 3.4.1. */
const indications: Handler = (device, { form, values }) => {
  const { settings } = device
  if (form === 'test') return info('+CNMI: (0-3),(0-3),(0,2),(0-2),(0,1)')
  if (form === 'read') return info(`+CNMI: ${settings.indications.join(',')}`)
  const [a, b, c, d, e] = settings.indications
  const mode = numberOr(values[0], a)
  const messages = numberOr(values[1], b)
  const broadcasts = numberOr(values[2], c)
  const reports = numberOr(values[3], d)
  const buffered = numberOr(values[4], e)
  const allowed = mode <= 3 && messages <= 3 && [0, 2].includes(broadcasts) && reports <= 2 && buffered <= 1
  if (!allowed || values.length > 5) return badParameter
  settings.indications = [mode, messages, broadcasts, reports, buffered]
  device.afterwards(() => device.resume())
  return ok
}

/** 3.3.1. The number's type follows from its +. */
const serviceCentre: Handler = ({ sim }, { form, values }) => {
  if (form === 'test') return ok
  if (form === 'read') return info(`+CSCA: "${sim.smsc}",${sim.smsc.startsWith('+') ? 145 : 129}`)
  const number = quoted(values[0])
  const type = numberOr(values[1], number?.startsWith('+') ? 145 : 129)
  if (number === undefined || !/^\+?[0-9]{0,20}$/.test(number) || !(type <= 255)) return badParameter
  sim.smsc = type === 145 && !number.startsWith('+') && number !== '' ? `+${number}` : number
  return ok
}

/** 3.5.1 and 4.3: the TPDU has at least the seven fixed octets and at most 164 with validity and address. */
const prompt =
  (kind: 'submit' | 'store'): Handler =>
  (device, { form, values }) => {
    if (form === 'test') return ok
    const length = numberOr(values[0], Number.NaN)
    const state = numberOr(values[1], stored.unsent)
    if (form !== 'set' || Number.isNaN(length) || values.length > (kind === 'store' ? 2 : 1)) {
      device.violate('bad-syntax', 'the length is missing or is no number')
      return wrong
    }
    if (length < 7 || length > 164 || !(state <= 3)) {
      device.violate('pdu-length', `a PDU of ${length} octets`)
      return badParameter
    }
    if (kind === 'store' && full(device, 1)) return { cms: 322 }
    return { prompt: kind, length, state }
  }

const storeAt = (device: Device, position: 0 | 1 | 2) => device.stores[device.settings.stores[position]]
const full = (device: Device, position: 0 | 1 | 2) => {
  const store = storeAt(device, position)
  return store.slots.size >= store.capacity
}

/** 4.1: messages that were unread become read. */
const list: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CMGL: (0-4)')
  const wanted = numberOr(values[0], 0)
  if (!(wanted <= 4)) return badParameter
  const lines: string[] = []
  for (const [index, message] of storeAt(device, 0).inOrder()) {
    if (wanted !== 4 && message.state !== wanted) continue
    lines.push(`+CMGL: ${index},${message.state},,${message.length}\r\n${message.pdu}`)
    if (message.state === stored.unread) message.state = stored.read
  }
  return info(...lines)
}

/** 4.2. */
const read: Handler = (device, { form, values }) => {
  if (form === 'test') return ok
  const message = storeAt(device, 0).slots.get(numberOr(values[0], Number.NaN))
  if (message === undefined) return badIndex
  const line = `+CMGR: ${message.state},,${message.length}\r\n${message.pdu}`
  if (message.state === stored.unread) message.state = stored.read
  return info(line)
}

/** 3.5.4: with <delflag> 1 read, 2 also sent, 3 also unsent, 4 all. */
const remove: Handler = (device, { form, values }) => {
  const { slots } = storeAt(device, 0)
  if (form === 'test') return info(`+CMGD: (${[...slots.keys()].sort((a, b) => a - b).join(',')}),(0-4)`)
  const index = numberOr(values[0], Number.NaN)
  const flag = numberOr(values[1], 0)
  if (form !== 'set' || Number.isNaN(index) || !(flag <= 4)) return badParameter
  const states = [[], [stored.read], [stored.read, stored.sent], [stored.read, stored.sent, stored.unsent]][
    flag
  ]
  if (flag === 0) {
    if (!slots.delete(index)) return badIndex
  } else {
    for (const [at, message] of slots)
      if (states === undefined || states.some((s) => s === message.state)) slots.delete(at)
  }
  device.afterwards(() => device.resume())
  return ok
}

/** 3.4.4 with 4.6: 0 and 1 acknowledge, 2 refuses. */
const acknowledge: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CNMA: (0-2)')
  const kind = numberOr(values[0], 0)
  if (!(kind <= 2) || values.length > 1) return badParameter
  if (!device.acknowledge(kind !== 2)) {
    device.violate('acknowledgement-not-expected', 'AT+CNMA without a routed message')
    return { cms: 340 }
  }
  device.afterwards(() => device.resume())
  return ok
}

/** 3.5.6. */
const moreMessages: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CMMS: (0-2)')
  if (form === 'read') return info(`+CMMS: ${device.settings.moreMessages}`)
  const value = numberOr(values[0], 0)
  if (!(value <= 2)) return badParameter
  device.settings.moreMessages = value
  return ok
}

/** 27.007, 10.1.21. */
const smsOver: Handler = (device, { form, values }) => {
  if (form === 'test') return info('+CGSMS: (0-3)')
  if (form === 'read') return info(`+CGSMS: ${device.settings.smsOver}`)
  const value = numberOr(values[0], 0)
  if (!(value <= 3)) return { cme: 50 }
  device.settings.smsOver = value
  return ok
}

export const messageCommands: Readonly<Record<string, Entry>> = {
  '+CMGF': { run: format },
  '+CSMS': { run: service, needsSim: 'cms' },
  '+CPMS': { run: preferredStores, needsSim: 'cms' },
  '+CNMI': { run: indications, needsSim: 'cms' },
  '+CSCA': { run: serviceCentre, needsSim: 'cms' },
  '+CMGS': { run: prompt('submit'), needsSim: 'cms' },
  '+CMGW': { run: prompt('store'), needsSim: 'cms' },
  '+CMGL': { run: list, needsSim: 'cms' },
  '+CMGR': { run: read, needsSim: 'cms' },
  '+CMGD': { run: remove, needsSim: 'cms' },
  '+CNMA': { run: acknowledge, needsSim: 'cms' },
  '+CMMS': { run: moreMessages, needsSim: 'cms' },
  '+CGSMS': { run: smsOver },
}
