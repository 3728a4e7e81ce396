/**
 * twinline demo: a whole pair on one machine, with simulated lines and a stand-in for the virtual IP on loopback. A
 * second terminal kills, freezes and cuts, and the first one shows what the pair makes of it.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArguments } from './arguments.ts'
import { Box, untilDone } from './demo-box.ts'
import { CommonAddress, type Place, Relay } from './demo-network.ts'
import { fields, Traffic } from './demo-traffic.ts'
import { Ended, exit, UsageError } from './outcome.ts'

const usage = `twinline demo                 start a pair here and watch it; Ctrl-C ends it
twinline demo kill a|b        pull the plug of a box of the running demo
twinline demo freeze a|b      freeze its processes
twinline demo cut             cut the cable between the boxes
twinline demo heal            bring everything back

It listens on loopback only: the common address is 127.0.0.1:8080, the boxes themselves are at ports 8081 and 8082.`

const directory = join(process.cwd(), '.twinline', 'demo')
const controlPath = join(directory, 'demo.sock')
const common: Place = { host: '127.0.0.1', port: 8080 }
/** Each box has a loopback address of its own, and one at which a relay stands for its cable. */
const cables = new Map([
  ['a', { real: '127.0.0.11', cable: '127.0.0.21' }],
  ['b', { real: '127.0.0.12', cable: '127.0.0.22' }],
])
const ports = { guard: 8883, log: 8884 }

export async function demo(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(
    argv,
    { help: { type: 'boolean', short: 'h' } } as const,
    usage,
  )
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  return positionals.length === 0 ? stage() : order(positionals.join(' '))
}

/** Tells the running demo what to do. */
async function order(words: string): Promise<number> {
  if (!/^(kill [ab]|freeze [ab]|cut|heal)$/.test(words))
    throw new UsageError(`cannot ${JSON.stringify(words)}`, usage)
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(controlPath)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () =>
      reject(new Ended(exit.unreachable, 'no demo runs here; start one with: npm run demo')),
    )
    socket.on('end', () => resolve(text.trim()))
    socket.write(`${words}\n`)
  })
  console.log(answer)
  return exit.accepted
}

async function stage(): Promise<number> {
  mkdirSync(directory, { recursive: true })
  const parts = new AsyncDisposableStack()
  const ended = Promise.withResolvers<void>()
  // The boxes are processes of their own, which would go on when the terminal is closed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ended.resolve())
  try {
    const boxes = new Map(
      [...cables].map(([name, { real, cable }], index) => {
        rmSync(join(directory, name), { recursive: true, force: true })
        const box = new Box({
          name,
          directory: join(directory, name),
          http: { host: '127.0.0.1', port: common.port + 1 + index },
          guard: { host: real, port: ports.guard },
          log: { host: real, port: ports.log },
          reachedAt: cable,
          priority: 150 - 50 * index,
        })
        parts.defer(() => box.stop())
        return [name, box]
      }),
    )
    // Whatever ends this program, as that nobody reads what it says any more: they must not hold the ports of the next one.
    process.once('exit', () => {
      for (const box of boxes.values()) box.kill()
    })
    const cable = await layCables(parts)
    say('starting two boxes …')
    await Promise.all([...boxes.values()].map((box) => box.start()))
    await introduce(boxes)
    const address = new CommonAddress(
      new Map([...boxes].map(([name, box]) => [name, box.plan.http])),
      (to, afterMs) =>
        say(
          to === undefined
            ? 'nobody answers at the common address'
            : `box ${to} answers at the common address (after ${Math.round(afterMs)} ms)`,
        ),
    )
    parts.defer(() => address.close())
    await address.open(common)
    const control = await takeOrders(boxes, cable)
    parts.defer(() => {
      control.close()
    })
    const password = await person(boxes)
    say(`panel: http://${common.host}:${common.port}, as demo with the password ${password}`)
    say(`ready. In another terminal: npm run demo -- kill a | freeze a | cut | heal`)
    const traffic = new Traffic(await client(boxes))
    parts.defer(() => traffic.stop())
    void traffic.run()
    const shown = setInterval(() => show(traffic, address), 5_000)
    parts.defer(() => clearInterval(shown))
    await ended.promise
    say('stopping …')
    return exit.accepted
  } finally {
    await parts.disposeAsync()
  }
}

/** Two relays a box: one for heartbeats, one for the log. */
async function layCables(parts: AsyncDisposableStack): Promise<(whole: boolean) => void> {
  const relays: { relay: Relay; to: Place }[] = []
  for (const { real, cable } of cables.values()) {
    for (const port of Object.values(ports)) {
      const to = { host: real, port }
      const relay = new Relay(to)
      parts.defer(() => relay.close())
      try {
        await relay.listen({ host: cable, port })
      } catch {
        throw new Ended(exit.refused, `${cable}:${port} is in use; another demo seems to run on this machine`)
      }
      relays.push({ relay, to })
    }
  }
  return (whole) => {
    for (const { relay, to } of relays) relay.lead(whole ? to : undefined)
  }
}

/** The pairing ceremony, as a person would hold it: a code from one box, typed on the other. */
async function introduce(boxes: ReadonlyMap<string, Box>): Promise<void> {
  const [first, second] = [...boxes.values()]
  if (!first || !second) return
  const invited = await first.ask('POST', '/pair/invite')
  const code = invited.result === 'answer' ? fields(invited.body)['code'] : undefined
  const joined = await second.ask('POST', '/pair/join', { code })
  if (joined.result !== 'answer' || joined.status >= 300) {
    throw new Ended(exit.refused, `the boxes could not be paired: ${JSON.stringify(joined)}`)
  }
  say('box b has joined box a')
}

function boxNamed(boxes: ReadonlyMap<string, Box>, name: string): Box {
  const box = boxes.get(name)
  if (box === undefined) throw new Error(`there is no box ${name}`)
  return box
}

/** Somebody who may look at the panel and try everything there. @returns the password */
async function person(boxes: ReadonlyMap<string, Box>): Promise<string> {
  const password = randomBytes(9).toString('base64url')
  const body = { name: 'demo', role: 'admin', password }
  await untilDone('box a made no user', () => boxNamed(boxes, 'a').ask('POST', '/users', body))
  return password
}

async function client(boxes: ReadonlyMap<string, Box>): Promise<ConstructorParameters<typeof Traffic>[0]> {
  const body = { name: 'demo', scopes: ['send', 'read'] }
  const made = await untilDone('box a gave no token', () => boxNamed(boxes, 'a').ask('POST', '/tokens', body))
  const token = String(fields(made)['token'])
  const url = new URL(`http://${common.host}:${common.port}`)
  return { name: url.origin, where: { url }, token, ca: undefined, insecure: false, timeoutMs: 2_000 }
}

function takeOrders(boxes: ReadonlyMap<string, Box>, cable: (whole: boolean) => void): Promise<Server> {
  const perform = async (words: string): Promise<string> => {
    const [verb, name = ''] = words.split(' ')
    const box = boxes.get(name)
    switch (verb) {
      case 'kill':
        box?.kill()
        return `box ${name}: plug pulled`
      case 'freeze':
        box?.freeze()
        return `box ${name}: frozen`
      case 'cut':
        cable(false)
        return 'the cable between the boxes is cut; each goes on alone, and what both send is flagged'
      default:
        cable(true)
        await Promise.all([...boxes.values()].map((one) => one.start()))
        return 'everything is back'
    }
  }
  rmSync(controlPath, { force: true })
  const server = createServer((socket) => {
    socket.setTimeout(30_000, () => socket.destroy())
    socket.on('error', () => {})
    createInterface({ input: socket }).once('line', (words) => {
      perform(words).then(
        (done) => {
          say(done)
          socket.end(`${done}\n`)
        },
        (error: Error) => socket.end(`${error.message}\n`),
      )
    })
  })
  server.listen(controlPath)
  return once(server, 'listening').then(() => server)
}

function show({ tally }: Traffic, address: CommonAddress): void {
  const { asked, accepted, oneDisk, delivered, failed, flagged } = tally
  say(
    `address: ${address.holder ?? 'nobody'} · asked ${asked} · accepted ${accepted} (${oneDisk} on one disk) · ` +
      `delivered ${delivered} · failed ${failed} · possibly twice ${flagged}`,
  )
}

function say(text: string): void {
  const at = new Date()
  console.log(`${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}  ${text}`)
}
