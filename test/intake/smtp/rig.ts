/**
 * A real SMTP intake in front of a stand-in for the queue: recipients and texts are judged by dispatch's own rules, and
 * what it would store is kept in a list. And a client that says what a test wants it to say, byte by byte.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '#config/load.ts'
import type { Config } from '#config/types.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import { draft } from '#dispatch/accept.ts'
import type { SubmitRequest, SubmitResult } from '#dispatch/contract.ts'
import { createDirectory } from '#dispatch/recipients.ts'
import { createRouter } from '#dispatch/routing.ts'
import { type SmtpIntake, startSmtp } from '#intake/smtp/server.ts'
import type { TokenRecord } from '#messages/operation.ts'

const clock = systemClock(0)

export interface Rig {
  port: number
  smtp: SmtpIntake
  /** What is kept, in the order it came. */
  kept: (SubmitRequest & { id: string })[]
  /** When set, what submit() answers, or what it fails with. */
  answer: SubmitResult | Error | undefined
  /** When set, submit() answers only after it. */
  gate: Promise<void> | undefined
  /** Codes of what was refused. */
  refused: string[]
  accepted: number
  /** How often something was submitted. */
  submits: number
  errors: unknown[]
  config: Config
  stop(): Promise<void>
}

export const TOKEN = 'tl_right'

const tokens: Record<string, TokenRecord> = {
  [TOKEN]: { id: '1', name: 'nagios', hash: '', scopes: ['send'], createdAt: 0 },
  tl_reads: { id: '2', name: 'reader', hash: '', scopes: ['read'], createdAt: 0 },
}

const book = `contacts:
  - { id: duty, name: Duty, sms: +49 170 1111111 }
  - { id: boss, name: Boss, sms: +491702222222 }
  - { id: mute, name: Mute, mail: mute@example.org }
groups: [{ id: all, members: [duty, boss, mute] }]`

/** @param smtp keys of intake.smtp, as YAML in braces has them; without them clients of this machine need no token */
export async function startRig(smtp = 'auth: optional, allow: [127.0.0.0/8]', more = ''): Promise<Rig> {
  const data = mkdtempSync(join(tmpdir(), 'smtp-'))
  const config = parseConfig(
    `node: box-a
data: ${data}
lines: [{ id: gsm0, kind: gsm, port: 'sim://gsm' }]
intake: { smtp: { listen: '127.0.0.1:0', ${smtp} } }
${/^contacts:/m.test(more) ? '' : book}
${more}`,
    join(data, 'twinline.yaml'),
  )
  if (config.smtp === undefined) throw new Error('no intake.smtp')
  const rules = {
    node: 'box-a',
    clock,
    router: createRouter(config.lines, config.routes),
    lines: config.lines,
    validity: config.validity,
    paired: false,
    owned: false,
    directory: createDirectory(config),
    preferred: () => undefined,
    elsewhere: () => false,
    stopped: () => false,
  }
  const known = new Map<string, Extract<SubmitResult, { result: 'accepted' }>>()
  const rig: Omit<Rig, 'port' | 'smtp' | 'stop'> = {
    kept: [],
    answer: undefined,
    gate: undefined,
    refused: [],
    accepted: 0,
    submits: 0,
    errors: [],
    config,
  }
  async function submit(request: SubmitRequest): Promise<SubmitResult> {
    rig.submits += 1
    await (rig.gate ?? new Promise(setImmediate))
    if (rig.answer instanceof Error) throw rig.answer
    if (rig.answer !== undefined) return rig.answer
    const before = request.key && known.get(request.key.key)
    if (before !== undefined) return { ...before, replayed: true }
    const made = draft(request, rules)
    if (made.result === 'invalid') return made
    const result = { result: 'accepted', view: made, replicated: false, replayed: false } as const
    rig.kept.push({ ...request, id: made.message.id })
    if (request.key !== undefined) known.set(request.key.key, result)
    return result
  }
  const intake = await startSmtp({
    smtp: config.smtp,
    config,
    dispatch: { submit, check: (request) => draft(request, rules) },
    log: { ...silent, error: (fields) => rig.errors.push(fields) },
    tokens: { find: (token) => tokens[token], findAnew: async (token) => tokens[token] },
    metrics: { accepted: () => (rig.accepted += 1), refused: (_intake, code) => rig.refused.push(code) },
  })
  return Object.assign(rig, {
    port: Number(new URL(intake.address).port),
    smtp: intake,
    async stop() {
      await intake.stop()
      rmSync(data, { recursive: true, force: true })
    },
  })
}

/** One client that waits for each answer. */
export class Client {
  readonly socket: Socket
  #received = ''
  #wake: () => void = () => {}
  #over = false

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setEncoding('utf8')
    this.socket.on('data', (chunk: string) => {
      this.#received += chunk
      this.#wake()
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.#over = true
      this.#wake()
    })
  }

  /** The next whole answer; empty when the connection is over. */
  async answer(): Promise<string> {
    for (;;) {
      const found = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/.exec(this.#received)?.[0]
      if (found !== undefined) {
        this.#received = this.#received.slice(found.length)
        return found.trim()
      }
      if (this.#over) return ''
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`)
    return this.answer()
  }

  /** After the greeting and EHLO. */
  static async open(port: number): Promise<Client> {
    const client = new Client(port)
    await client.answer()
    await client.say('EHLO test')
    return client
  }

  /** @returns the last answer: to DATA's end, or to what was refused before it */
  async mail(to: readonly string[], content: string | Buffer, from = '<monit@vm>'): Promise<string> {
    let answer = await this.say(`MAIL FROM:${from}`)
    for (const one of to) if (answer.startsWith('250')) answer = await this.say(`RCPT TO:<${one}>`)
    if (answer.startsWith('250')) answer = await this.say('DATA')
    if (answer.startsWith('354')) {
      this.socket.write(content)
      return this.say('\r\n.')
    }
    await this.say('RSET')
    return answer
  }

  close(): void {
    this.socket.destroy()
  }
}
