/**
 * Control of running modems by hand or from another process: one JSON object a line in, one a line out.
 *
 *   {"line":0,"do":"mute","for":60000,"inFlight":"kept"}   also unmute
 *   {"line":0,"do":"reset"}                                inFlight as above
 *   {"line":0,"do":"unplug","for":2000}                    without for: until {"line":0,"do":"plug"}
 *   {"line":0,"do":"remove-sim"}                           and insert-sim
 *   {"line":0,"do":"fill","store":"SM","count":20}         and {"line":0,"do":"empty","store":"SM"}
 *   {"line":0,"do":"set","option":"network","value":"2000"}     any option of options.ts
 *   {"do":"errors","rules":"CMS 38@+49151*;CMS 500/10"}    for one line or all; {"do":"heal"} ends them
 *   {"do":"number","number":"+49151*","status":70,"reports":"none","network":"30000"}
 *   {"line":0,"do":"disturb","text":"\r\n+CREG: 1\r\n","where":"behind","times":20}   where: see output.ts
 *   {"line":0,"do":"garbage","hex":"00ff80","where":"before"}
 *   {"line":0,"do":"fail-command","command":"+CSQ","answer":"+CME ERROR: 14","times":1}
 *   {"line":0,"do":"lose-answers","times":1}
 *   {"line":0,"do":"message","from":"+49123","text":"…","order":[3,1,1,2],"bits":16}
 *   {"line":0,"do":"pdu","pdu":"0791…"}
 *   {"line":0,"do":"report","to":"+49123","reference":7,"status":0}
 *   {"line":0,"do":"call","from":"+49123","rings":5}       and caller-ends
 *   {"line":0,"do":"state"}  {"do":"totals"}  {"do":"received"}
 *   {"do":"submissions","after":0,"limit":1000}  {"do":"violations"}
 *
 * Without `line` an action is for every line. The answer is {"ok":true,…} or {"ok":false,"problem":"…"}.
 */
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { StoreName } from './device.ts'
import type { InFlight } from './dialogue.ts'
import type { SimulatedModem } from './modem.ts'
import type { SimulatedNetwork } from './network.ts'
import { parseErrorRules, parseSpan } from './options.ts'
import { type Place, places } from './output.ts'

class Unclear extends Error {}

/** Reads the fields of one request, each with what is allowed. */
class Request {
  readonly #fields: ReadonlyMap<string, unknown>

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Unclear('not a JSON object')
    this.#fields = new Map(Object.entries(value))
  }

  has(name: string): boolean {
    return this.#fields.has(name)
  }

  text(name: string): string {
    const value = this.#fields.get(name)
    if (typeof value !== 'string') throw new Unclear(`${name} must be a string`)
    return value
  }

  number(name: string, missing?: number): number {
    const value = this.#fields.get(name) ?? missing
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
      throw new Unclear(`${name} must be a whole number`)
    }
    return value
  }

  choice<Value extends string>(name: string, allowed: readonly Value[], missing?: Value): Value {
    const value = this.#fields.get(name) ?? missing
    const found = allowed.find((each) => each === value)
    if (found === undefined) throw new Unclear(`${name} must be one of ${allowed.join(', ')}`)
    return found
  }

  numbers(name: string): number[] {
    const value: unknown = this.#fields.get(name)
    if (!Array.isArray(value)) throw new Unclear(`${name} must be a list of numbers`)
    return value.map((each: unknown) => {
      if (typeof each !== 'number') throw new Unclear(`${name} must be a list of numbers`)
      return each
    })
  }
}

const inFlight = (request: Request): InFlight => request.choice('inFlight', ['lost', 'kept'], 'lost')
const store = (request: Request): StoreName => request.choice('store', ['SM', 'ME'], 'SM')
const place = (request: Request): Place => request.choice('where', places, 'now')

type ModemAction = (modem: SimulatedModem, request: Request) => object | undefined

const modemActions: Readonly<Record<string, ModemAction>> = {
  mute: (modem, request) => {
    modem.mute(request.has('for') ? request.number('for') : undefined, inFlight(request))
    return undefined
  },
  unmute: (modem) => void modem.unmute(),
  reset: (modem, request) => void modem.reset(inFlight(request)),
  unplug: (modem, request) => {
    const back = request.has('for') ? request.number('for') : undefined
    modem.unplug(inFlight(request), back)
    return undefined
  },
  plug: (modem) => void modem.plug(),
  'remove-sim': (modem) => void modem.removeSim(),
  'insert-sim': (modem) => void modem.insertSim(),
  fill: (modem, request) => void modem.fill(store(request), request.number('count', 1000)),
  empty: (modem, request) => void modem.empty(store(request)),
  set: (modem, request) => {
    const problem = modem.set(request.text('option'), request.text('value'))
    if (problem !== undefined) throw new Unclear(`${problem.problem}; allowed: ${problem.allowed}`)
    return undefined
  },
  disturb: (modem, request) =>
    void modem.disturb(request.text('text'), place(request), request.number('times', 1)),
  garbage: (modem, request) => {
    const text = Buffer.from(request.text('hex'), 'hex').toString('latin1')
    modem.disturb(text, place(request), request.number('times', 1))
    return undefined
  },
  'fail-command': (modem, request) =>
    void modem.failCommand(request.text('command'), request.text('answer'), request.number('times', 1)),
  'lose-answers': (modem, request) => void modem.loseAnswers(request.number('times', 1)),
  message: (modem, request) => {
    const message = {
      from: request.text('from'),
      text: request.text('text'),
      ...(request.has('reference') ? { reference: request.number('reference') } : {}),
      ...(request.has('bits') ? { bits: request.number('bits') === 16 ? (16 as const) : (8 as const) } : {}),
      ...(request.has('class') ? { class: request.number('class') & 3 } : {}),
    }
    const order = request.has('order') ? request.numbers('order') : undefined
    return { reference: modem.network.send(modem.name, message, order) }
  },
  pdu: (modem, request) => {
    const pdu = request.text('pdu').toUpperCase()
    if (!/^([0-9A-F]{2}){10,200}$/.test(pdu)) throw new Unclear('pdu must be hexadecimal')
    modem.network.sendPdu(modem.name, pdu)
    return undefined
  },
  report: (modem, request) => {
    const [to, reference, status] = [
      request.text('to'),
      request.number('reference'),
      request.number('status'),
    ]
    modem.network.sendReport(modem.name, { to, reference: reference & 0xff, status: status & 0xff })
    return undefined
  },
  call: (modem, request) =>
    void modem.network.call(modem.name, request.text('from'), request.number('rings', 5)),
  'caller-ends': (modem) => void modem.callerEnds(),
  state: (modem) => ({ state: { [modem.name]: modem.state() } }),
}

type NetworkAction = (
  network: SimulatedNetwork,
  request: Request,
  line: string | undefined,
) => object | undefined

const networkActions: Readonly<Record<string, NetworkAction>> = {
  errors: (network, request, line) => {
    const rules = parseErrorRules(request.text('rules'))
    if (rules === undefined)
      throw new Unclear('rules are not understood; such as "CMS 38@+49151*;CMS 500/10"')
    for (const rule of rules) network.fail(rule, line)
    return undefined
  },
  heal: (network, _request, line) => void network.heal(line),
  number: (network, request) => {
    const span = (name: string) => {
      const found = request.has(name) ? parseSpan(request.text(name)) : undefined
      if (request.has(name) && found === undefined)
        throw new Unclear(`${name} must be such as "2000" or "1000-3000"`)
      return found
    }
    const none = request.has('reports') && request.text('reports') === 'none'
    const reports = none ? 'none' : span('reports')
    const time = span('network')
    network.behave(request.text('number'), {
      ...(request.has('status') ? { status: request.number('status') & 0xff } : {}),
      ...(reports === undefined ? {} : { reports }),
      ...(time === undefined ? {} : { network: time }),
    })
    return undefined
  },
  totals: (network) => ({ totals: network.totals }),
  received: (network) => ({ received: network.received() }),
  submissions: (network, request) => {
    const after = request.number('after', 0)
    const limit = request.number('limit', 1000)
    return { submissions: network.submissions.filter(({ sequence }) => sequence > after).slice(0, limit) }
  },
  violations: (network) => ({ violations: network.violations.slice(-1000) }),
}

/** Does what one line asks for. @returns the answer, to be written as JSON */
export function control(modems: readonly SimulatedModem[], network: SimulatedNetwork, line: string): object {
  try {
    const request = new Request(JSON.parse(line))
    const action = request.text('do')
    const chosen = request.has('line') ? modems[request.number('line')] : undefined
    if (request.has('line') && chosen === undefined) throw new Unclear(`lines are 0 to ${modems.length - 1}`)
    const onNetwork = Object.hasOwn(networkActions, action) ? networkActions[action] : undefined
    if (onNetwork !== undefined) return { ok: true, ...onNetwork(network, request, chosen?.name) }
    const onModem = Object.hasOwn(modemActions, action) ? modemActions[action] : undefined
    if (onModem === undefined) {
      throw new Unclear(
        `do must be one of ${[...Object.keys(modemActions), ...Object.keys(networkActions)].join(', ')}`,
      )
    }
    const results = (chosen === undefined ? modems : [chosen]).map((modem) => onModem(modem, request))
    const states = results.flatMap((result) =>
      result !== undefined && 'state' in result ? [result.state] : [],
    )
    return states.length > 0 ? { ok: true, state: Object.assign({}, ...states) } : { ok: true, ...results[0] }
  } catch (error) {
    if (error instanceof Unclear) return { ok: false, problem: error.message }
    if (error instanceof SyntaxError) return { ok: false, problem: 'not JSON' }
    throw error
  }
}

/** @param port 0 for any free one @returns the port and how to stop */
export function serveControl(
  modems: readonly SimulatedModem[],
  network: SimulatedNetwork,
  port: number,
): Promise<{ port: number; stop: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    const lines = createInterface({ input: socket })
    lines.on('line', (line) => {
      if (line.trim() !== '') socket.write(`${JSON.stringify(control(modems, network, line))}\n`)
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const stop = () => {
        server.close()
        for (const socket of sockets) socket.destroy()
      }
      resolve({ port: address !== null && typeof address === 'object' ? address.port : port, stop })
    })
  })
}
