/**
 * A small appliance around the real HTTP intake: in-memory stand-ins for dispatch, store and line, each with as much
 * behaviour as the interface can show. The rest is real: sockets, files, certificates.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import { newId } from '#core/ids.ts'
import { silent } from '#core/log.ts'
import type { ActionResult, Dispatch, MoveResult, SubmitRequest, SubmitResult } from '#dispatch/contract.ts'
import type { Services } from '#intake/http/parts.ts'
import { type HttpIntake, startHttp } from '#intake/http/server.ts'
import type { Line, LineState, LineStatus } from '#lines/contract.ts'
import type { InboxEntry } from '#messages/inbound.ts'
import { type Message, newDelivery } from '#messages/message.ts'
import type { Scope, SessionRecord, TokenRecord, UserRecord } from '#messages/operation.ts'
import { applyEvent } from '#messages/states.ts'
import { createMetrics } from '#notify/metrics.ts'
import type { ListQuery, MessageView, Page, QueueDepth, Store, TotalsRow } from '#store/contract.ts'

const clock = systemClock(0)

/** What of the store the intake uses; everything else would be a mistake of the intake. */
type UsedStore = Pick<
  Store,
  | 'message'
  | 'messages'
  | 'depth'
  | 'totals'
  | 'inbox'
  | 'createToken'
  | 'revokeToken'
  | 'tokens'
  | 'touchToken'
  | 'users'
  | 'saveUser'
  | 'removeUser'
  | 'sessions'
  | 'saveSession'
  | 'endSession'
  | 'facts'
  | 'remember'
>

function memoryStore() {
  const views = new Map<string, MessageView>()
  const tokens = new Map<string, TokenRecord>()
  const users = new Map<string, UserRecord>()
  const sessions = new Map<string, SessionRecord>()
  const facts = new Map<string, string>()
  const touched: string[] = []
  const inbox: InboxEntry[] = []
  const totals: TotalsRow[] = []
  const queries: ListQuery[] = []
  const since: number[] = []
  const depth: QueueDepth = { queued: 3, submitting: 1, awaitingReport: 2, unknown: 0, oldest: undefined }
  const store: UsedStore = {
    message: async (id) => views.get(id),
    async messages(query): Promise<Page<MessageView>> {
      queries.push(query)
      const items = [...views.values()].reverse().slice(0, query.limit)
      return items.length < views.size ? { items, next: items.at(-1)?.message.id ?? '' } : { items }
    },
    depth: async () => depth,
    totals: async (from) => {
      since.push(from)
      return totals
    },
    inbox: async () => ({ items: inbox }),
    async createToken(token) {
      tokens.set(token.id, token)
    },
    revokeToken: async (id) => tokens.delete(id),
    tokens: async () => [...tokens.values()].map((token) => ({ ...token, lastUsedAt: undefined })),
    touchToken: (id) => {
      touched.push(id)
    },
    users: async () => [...users.values()],
    async saveUser(user) {
      users.set(user.name, user)
    },
    removeUser: async (name) => users.delete(name),
    sessions: async () => [...sessions.values()],
    async saveSession(session) {
      sessions.set(session.id, session)
    },
    async endSession(id) {
      sessions.delete(id)
    },
    facts: async (prefix) =>
      [...facts].flatMap(([name, value]) => (name.startsWith(prefix) ? [{ name, value }] : [])),
    async remember(name, value) {
      facts.set(name, value)
    },
  }
  return { store, views, users, sessions, touched, inbox, totals, queries, since, depth }
}

export class StandInLine implements Line {
  readonly id: string
  readonly channel = 'sms'
  state: LineState = 'ready'
  done: string[] = []
  constructor(id: string) {
    this.id = id
  }
  status(): LineStatus {
    return {
      id: this.id,
      kind: 'gsm',
      channel: 'sms',
      state: this.state,
      busy: false,
      port: 'sim://gsm',
      signal: -71,
      lastSuccess: 1_700_000_000_000,
      recoveries: 2,
    }
  }
  free = () => true
  transmit = async () => ({
    result: 'notSent' as const,
    reason: { code: 'x', text: 'x' },
    progress: { confirmed: 0 },
  })
  start = () => this.done.push('start')
  restart = () => this.done.push('restart')
  disable = () => {
    this.done.push('disable')
    this.state = 'disabled'
  }
  enable = () => {
    this.done.push('enable')
    this.state = 'ready'
  }
  wake = () => {}
  rest = () => {}
  stop = async () => {}
}

export class StandInDispatch implements Dispatch {
  readonly requests: SubmitRequest[] = []
  /** When set, what submit() answers, or what it fails with. */
  answer: SubmitResult | Error | undefined
  readonly all: StandInLine[] = [new StandInLine('gsm0')]
  readonly #views: Map<string, MessageView>
  readonly #keys = new Map<string, { hash: string; view: Promise<MessageView> }>()

  constructor(views: Map<string, MessageView>) {
    this.#views = views
  }

  async submit(request: SubmitRequest): Promise<SubmitResult> {
    this.requests.push(request)
    if (this.answer instanceof Error) throw this.answer
    if (this.answer !== undefined) return this.answer
    const { key } = request
    const known = key === undefined ? undefined : this.#keys.get(key.key)
    if (known !== undefined) {
      if (known.hash !== key?.bodyHash) return { result: 'conflict' }
      return { result: 'accepted', view: await known.view, replicated: false, replayed: true }
    }
    const view = this.#store(request)
    if (key !== undefined) this.#keys.set(key.key, { hash: key.bodyHash, view })
    return { result: 'accepted', view: await view, replicated: false, replayed: false }
  }

  async #store(request: SubmitRequest): Promise<MessageView> {
    await new Promise(setImmediate)
    const at = clock.now()
    const message: Message = {
      id: newId(at),
      at,
      node: 'stand-in',
      source: request.source,
      text: request.text,
      priority: request.priority ?? 2,
      validity: request.validity ?? 86_400_000,
      onUnknown: request.onUnknown ?? 'resend',
      flash: request.flash ?? false,
      ...(request.tag === undefined ? {} : { tag: request.tag }),
    }
    const deliveries = request.to.map((to, n) => newDelivery(message, n, to, request.channel ?? 'sms', 1))
    const view = { message, deliveries }
    this.#views.set(message.id, view)
    return view
  }

  replicated = () => false
  waiting: Dispatch['waiting'] = () => new Map()

  async cancel(id: string): Promise<ActionResult> {
    const view = this.#views.get(id)
    if (view === undefined) return { result: 'notFound' }
    const reason = { code: 'cancelled', text: 'Cancelled on request.' }
    const after = view.deliveries.map((delivery) =>
      applyEvent(delivery, { event: 'cancel', reason }, clock.now()),
    )
    const deliveries = after.filter((delivery) => delivery !== undefined)
    if (deliveries.length === 0)
      return { result: 'tooLate', reason: { code: 'too-late', text: 'Nothing is left to cancel.' }, view }
    const done = { message: view.message, deliveries }
    this.#views.set(id, done)
    return { result: 'done', view: done }
  }

  async retry(id: string): Promise<ActionResult> {
    const view = this.#views.get(id)
    return view === undefined ? { result: 'notFound' } : { result: 'done', view }
  }

  moved: [string, string][] = []
  async move(id: string, line: string): Promise<MoveResult> {
    const view = this.#views.get(id)
    if (view === undefined) return { result: 'notFound' }
    if (this.all.every((one) => one.id !== line))
      return { result: 'noLine', allowed: this.all.map((one) => one.id) }
    this.moved.push([id, line])
    return { result: 'done', view }
  }

  readonly muted = new Map<string, number>()
  mute = async (line: string, until: number) => void this.muted.set(line, until)
  unmute = async (line: string) => void this.muted.delete(line)

  lines = () => this.all
  lineStatus = () =>
    this.all.map((line) => {
      const muted = this.muted.get(line.id)
      return { ...line.status(), ...(muted === undefined ? {} : { muted }) }
    })
}

export interface Appliance extends ReturnType<typeof memoryStore> {
  base: string
  addresses: string[]
  data: string
  dispatch: StandInDispatch
  role: 'ACTIVE' | 'STANDBY'
  readiness: { ready: boolean; reason?: string }
  errors: string[]
  http: HttpIntake
  tokens: HttpIntake['tokens']
  execute: HttpIntake['execute']
  reset: Awaited<ReturnType<typeof startHttp>>['reset']
  /** A new token, ready for the header. */
  bearer(...scopes: Scope[]): Promise<string>
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Stops and leaves the data directory as it is. */
  stopKeeping(): Promise<void>
  stop(): Promise<void>
}

export interface Answer {
  status: number
  headers: Headers
  text: string
  json: AnswerBody
}

/** What tests look at in any answer. */
export interface AnswerBody {
  id?: string
  items?: { id?: string; [field: string]: unknown }[]
  next?: string
  timeline?: { at: string; delivery: string; event: string }[]
  code?: string
  field?: string
  detail?: string
  token?: string
  user?: { name: string } | null
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const json = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : {}
  return { status: response.status, headers: response.headers, text, json }
}

export async function startAppliance(
  config: Partial<Pick<Config, 'http' | 'https' | 'data' | 'compat'>> = {},
  services: Partial<Services> = {},
): Promise<Appliance> {
  const data = config.data ?? (await mkdtemp(join(tmpdir(), 'http-')))
  const memory = memoryStore()
  const dispatch = new StandInDispatch(memory.views)
  const errors: string[] = []
  const refuse = (name: string | symbol) => () => {
    throw new Error(`the intake has no business with store.${String(name)}`)
  }
  const store = new Proxy(memory.store as Store, {
    get: (target, name) => Reflect.get(target, name) ?? (name === 'lastLogged' ? 0 : refuse(name)),
  })
  const state: Pick<Appliance, 'role' | 'readiness'> = { role: 'ACTIVE', readiness: { ready: true } }
  const common = { store, clock, version: '9.9.9', node: 'alpha', role: () => state.role }
  const http = await startHttp({
    ...common,
    ...services,
    config: { http: { listen: { host: '127.0.0.1', port: 0 } }, data, ...config },
    dispatch,
    log: {
      ...silent,
      error: (fields, text) => errors.push(`${text} ${'err' in fields ? String(fields.err) : ''}`),
    },
    metrics: createMetrics({ ...common, lines: dispatch.lines }),
    ready: () => state.readiness,
  })
  const base = http.addresses[0] ?? ''
  const bearer = async (...scopes: Scope[]) =>
    `Bearer ${(await http.tokens.create({ name: 'test', scopes })).token}`
  const everything = await bearer('send', 'read', 'admin')
  return Object.assign(state, {
    ...memory,
    base,
    addresses: http.addresses,
    data,
    dispatch,
    errors,
    http,
    tokens: http.tokens,
    execute: http.execute,
    reset: http.reset,
    bearer,
    async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const init: RequestInit = { method, headers: { authorization: everything, ...headers } }
      if (body !== undefined) {
        init.body =
          typeof body === 'string' || body instanceof Uint8Array
            ? (body as NonNullable<RequestInit['body']>)
            : JSON.stringify(body)
        init.headers = { authorization: everything, 'content-type': 'application/json', ...headers }
      }
      return answerOf(await fetch(base + path, init))
    },
    stopKeeping: http.stop,
    async stop() {
      await http.stop()
      await rm(data, { recursive: true, force: true })
    },
  })
}
