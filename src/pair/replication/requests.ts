/**
 * Questions to another member and its answer, over the links of the log: configuration writes that go to the active,
 * handing over, documents. Bounded: at most MOST under way to or from a member, 256 kB a body, a deadline, one hop
 * (a handler is told who asks and never asks on behalf of another).
 */
import { Buffer } from 'node:buffer'
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Answer } from '#core/member-questions.ts'

const MOST = 32
const LARGEST_BODY = 262_144

export type Handler = (from: string, body: string) => Promise<Answer>

export interface RequestsOptions {
  log: Log
  /** False when the member is out of reach or too much waits for it. */
  send(to: string, text: string): boolean
}

interface Asked {
  to: string
  resolve(answer: Answer): void
  timer: NodeJS.Timeout
}

export class Requests {
  readonly #options: RequestsOptions
  readonly #handlers = new Map<string, Handler>()
  readonly #asked = new Map<number, Asked>()
  readonly #answering = new Map<string, number>()
  #last = 0

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** @param topic what it is about; one handler each */
  handle(topic: string, handler: Handler): void {
    this.#handlers.set(topic, handler)
  }

  /** @param deadlineMs when to give up waiting; never rejects */
  ask(to: string, topic: string, body: string, deadlineMs: number): Promise<Answer> {
    if (Buffer.byteLength(body) > LARGEST_BODY) {
      return Promise.resolve({
        result: 'failed',
        code: 'member-question-too-large',
        text: 'more than 256 kB',
      })
    }
    const under = [...this.#asked.values()].filter((asked) => asked.to === to).length
    if (under >= MOST) {
      return Promise.resolve({ result: 'failed', code: 'member-busy', text: `too many questions to ${to}` })
    }
    this.#last += 1
    const id = this.#last
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#end(id, { result: 'failed', code: 'member-no-answer', text: `${to} did not answer in time` })
      }, deadlineMs)
      this.#asked.set(id, { to, resolve, timer })
      if (!this.#options.send(to, `${JSON.stringify({ v: 1, kind: 'ask', id, topic })}\n${body}`)) {
        this.#end(id, { result: 'failed', code: 'member-unreachable', text: `${to} is out of reach` })
      }
    })
  }

  /** A text on the request topic. */
  take(from: string, text: string): void {
    const end = text.indexOf('\n')
    const header = headerOf(end < 0 ? text : text.slice(0, end))
    const body = end < 0 ? '' : text.slice(end + 1)
    if (header?.kind === 'ask') void this.#answer(from, header, body)
    if (header?.kind !== 'answer' || this.#asked.get(header.id)?.to !== from) return
    const { id, code } = header
    this.#end(id, code === undefined ? { result: 'answered', body } : { result: 'failed', code, text: body })
  }

  /** The last path to a member has closed: what was asked may or may not have happened. */
  closed(node: string): void {
    for (const [id, { to }] of this.#asked) {
      if (to !== node) continue
      this.#end(id, { result: 'failed', code: 'member-no-answer', text: `the connection to ${node} ended` })
    }
  }

  stop(): void {
    for (const [id, { to }] of this.#asked) {
      this.#end(id, { result: 'failed', code: 'member-unreachable', text: `${to} is not asked any more` })
    }
  }

  async #answer(from: string, { id, topic }: Header, body: string): Promise<void> {
    const under = this.#answering.get(from) ?? 0
    this.#answering.set(from, under + 1)
    const answer = await this.#answerOf(from, topic, body, under)
    this.#answering.set(from, (this.#answering.get(from) ?? 1) - 1)
    const failed = answer.result === 'failed'
    const header = { v: 1, kind: 'answer', id, ...(failed ? { code: answer.code } : {}) }
    this.#options.send(from, `${JSON.stringify(header)}\n${failed ? answer.text : answer.body}`)
  }

  async #answerOf(from: string, topic: string, body: string, under: number): Promise<Answer> {
    if (under >= MOST) return { result: 'failed', code: 'member-busy', text: 'too many questions at a time' }
    if (Buffer.byteLength(body) > LARGEST_BODY) {
      return { result: 'failed', code: 'member-question-too-large', text: 'more than 256 kB' }
    }
    const handler = this.#handlers.get(topic)
    if (!handler)
      return { result: 'failed', code: 'member-question-unknown', text: `nobody answers to ${topic}` }
    try {
      const answer = await handler(from, body)
      const large = answer.result === 'answered' && Buffer.byteLength(answer.body) > LARGEST_BODY
      return large
        ? { result: 'failed', code: 'member-question-too-large', text: 'the answer is over 256 kB' }
        : answer
    } catch (error) {
      this.#options.log.error({ from, topic, error: errorText(error) }, 'a question of a member failed')
      return { result: 'failed', code: 'member-question-failed', text: errorText(error) }
    }
  }

  #end(id: number, answer: Answer): void {
    const asked = this.#asked.get(id)
    if (!asked) return
    clearTimeout(asked.timer)
    this.#asked.delete(id)
    asked.resolve(answer)
  }
}

interface Header {
  kind: 'ask' | 'answer'
  id: number
  topic: string
  code?: string
}

function headerOf(line: string): Header | undefined {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed !== 'object' || parsed === null) return undefined
    const { kind, id, topic, code } = parsed as Record<string, unknown>
    if ((kind !== 'ask' && kind !== 'answer') || typeof id !== 'number') return undefined
    return {
      kind,
      id,
      topic: typeof topic === 'string' ? topic : '',
      ...(typeof code === 'string' ? { code } : {}),
    }
  } catch {
    return undefined
  }
}
