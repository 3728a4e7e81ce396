/**
 * The client of the laboratory, in a process and a namespace of its own. Against the virtual address it
 *   - opens a TCP connection to the responders every 5 ms: which box answers at the address;
 *   - asks the gateway GET /role over a fresh connection every 10 ms, and over a kept one as fast as every 20 ms;
 *   - posts messages, each with a key and a number of its own, and asks again with the same key until it is told
 *     accepted or refused, as a client that must not lose an alert does.
 * Every attempt ends by a deadline and none waits for another, so that a gap is the network's and not ours.
 *
 * Talks to prober-link.ts over IPC. Times are ms of the monotonic clock.
 */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'

export interface ProberOrder {
  /** The virtual address; or every member's own, and then the one that last said ACTIVE is used, as a balancer would. */
  addresses: readonly string[]
  responderPort: number
  /** Source addresses of which each reaches one member only: what is asked from them tells who answers at the address. */
  each?: readonly string[]
  /** Absent: only the responders are asked. */
  gateway?: { port: number; token: string; postEveryMs: number }
}

export interface Post {
  key: string
  to: string
  begunAt: number
  /** When it was accepted. */
  acceptedAt?: number
  id?: string
  replicated?: boolean
  /** The answer that ended it, when that was not 202. */
  status?: number
  tries: number
}

export interface ProberNews {
  /** When an answer came, and whose. */
  responders: [at: number, name: string][]
  /** The same for questions that reach one member only. */
  each: [at: number, name: string][]
  /** When an answer 200 ACTIVE came over a fresh connection, over the kept one. */
  active: number[]
  kept: number[]
  posts: Post[]
}

const ATTEMPT_MS = 1_000
const RETRY_MS = 200
const TRIES = 60
const NEWS_MS = 40

const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6
let news: ProberNews = { responders: [], each: [], active: [], kept: [], posts: [] }
let stopped = false
let open = 0
let current = ''

function askResponder({ responderPort }: ProberOrder, localAddress?: string): void {
  const from = localAddress === undefined ? {} : { localAddress }
  const socket = connect({ host: current, port: responderPort, noDelay: true, ...from })
  const answers = localAddress === undefined ? 'responders' : 'each'
  const late = setTimeout(() => socket.destroy(), ATTEMPT_MS)
  let name = ''
  socket.on('data', (bytes: Buffer) => {
    if (name === '') news[answers].push([monotonic(), bytes.toString()])
    name = bytes.toString()
    // A reset leaves no TIME_WAIT behind; at 200 connections a second the ports would run out.
    socket.resetAndDestroy()
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => clearTimeout(late))
}

interface Answer {
  status: number
  text: string
}

function ask(
  { gateway }: ProberOrder,
  host: string,
  agent: Agent | false,
  method: string,
  path: string,
  body?: { text: string; headers: Record<string, string> },
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const asked = request(
      { host, port: gateway?.port ?? 0, method, path, agent, headers: body?.headers ?? {} },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          text += piece
        })
        response.on('error', () => resolve(undefined))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    const late = setTimeout(() => asked.destroy(), ATTEMPT_MS)
    asked.on('error', () => resolve(undefined))
    asked.on('close', () => {
      clearTimeout(late)
      resolve(undefined)
    })
    asked.end(body?.text)
  })
}

const isActive = (answer: Answer | undefined) => answer?.status === 200 && answer.text.trim() === 'ACTIVE'

async function askRole(order: ProberOrder, address: string): Promise<void> {
  if (!isActive(await ask(order, address, false, 'GET', '/role'))) return
  news.active.push(monotonic())
  current = address
}

async function keepAsking(order: ProberOrder): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!stopped) {
    if (isActive(await ask(order, current, agent, 'GET', '/role'))) news.kept.push(monotonic())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  agent.destroy()
}

let sequence = 0
async function post(order: ProberOrder, run: number): Promise<void> {
  const number = sequence++
  const one: Post = {
    key: `run ${run} alert ${number}`,
    to: `+4915${String(run).padStart(3, '0')}${String(number).padStart(6, '0')}`,
    begunAt: monotonic(),
    tries: 0,
  }
  open++
  const text = JSON.stringify({ to: [one.to], text: one.key, validity: '1d' })
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    authorization: `Bearer ${order.gateway?.token}`,
    'idempotency-key': one.key,
  }
  while (one.tries < TRIES) {
    one.tries++
    const answer = await ask(order, current, false, 'POST', '/api/v1/messages', { text, headers })
    if (answer?.status === 202) {
      const told: unknown = JSON.parse(answer.text)
      one.acceptedAt = monotonic()
      if (told !== null && typeof told === 'object') {
        if ('id' in told) one.id = String(told.id)
        if ('replicated' in told) one.replicated = told.replicated === true
      }
      break
    }
    if (answer) one.status = answer.status
    // What is refused for what it is stays refused; no answer and 5xx may pass.
    if (answer && answer.status < 500 && answer.status !== 429) break
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
  news.posts.push(one)
  open--
}

function begin(order: ProberOrder, run: number): void {
  stopped = false
  current = order.addresses[0] ?? ''
  const timers = [setInterval(() => askResponder(order), 5)]
  const { each = [] } = order
  if (each.length > 0) {
    timers.push(setInterval(() => each.map((source) => askResponder(order, source)), 10))
  }
  if (order.gateway) {
    const askAll = () => {
      for (const address of order.addresses) void askRole(order, address)
    }
    timers.push(setInterval(askAll, 10))
    if (order.gateway.postEveryMs > 0) {
      timers.push(setInterval(() => void post(order, run), order.gateway.postEveryMs))
    }
    void keepAsking(order)
  }
  timers.push(setInterval(tell, NEWS_MS))
  stopProbing = () => {
    stopped = true
    for (const timer of timers.splice(0)) clearInterval(timer)
    const finish = setInterval(() => {
      if (open > 0) return
      clearInterval(finish)
      tell()
      process.send?.({ finished: true })
    }, 20)
  }
}

function tell(): void {
  process.send?.({ news })
  news = { responders: [], each: [], active: [], kept: [], posts: [] }
}

let stopProbing: () => void = () => {}
let runs = 0
process.on('message', (message: { begin?: ProberOrder; stop?: true }) => {
  // Numbers and keys of one laboratory never repeat.
  if (message.begin) begin(message.begin, runs++)
  if (message.stop) stopProbing()
})
process.on('disconnect', () => process.exit())
process.send?.({ ready: true })
