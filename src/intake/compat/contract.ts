/** What each foreign interface is made of, and what it may ask of the appliance. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SubmitRequest } from '#dispatch/contract.ts'
import type { Scope, TokenRecord } from '#messages/operation.ts'
import type { MessageView } from '#store/contract.ts'
import type { Api } from '../http/parts.ts'
import type { Problem } from '../http/problems.ts'

export interface ForeignApi {
  /** As in metrics, in the log and before the user's name in a message's source. */
  name: string
  /** Adds its routes; what they throw as a Problem goes to refuse(). Bodies come as a Buffer, undefined when there is none. */
  routes(api: Api, door: Door): void
  /** Answers a refusal in this interface's own words. */
  refuse(reply: FastifyReply, problem: Problem, request: FastifyRequest): void
}

/** The way in that all foreign interfaces share. Each call rejects with a Problem. */
export interface Door {
  /** Whose token it is. */
  admit(token: string | undefined, scope: Scope): Promise<TokenRecord>
  /** Resolves when the message is on disk. */
  submit(caller: TokenRecord, request: Omit<SubmitRequest, 'source'>): Promise<Accepted>
  message(id: string): Promise<MessageView | undefined>
  /** Whether a line could send now. */
  ready(): boolean
  /** ms since 1970 */
  now(): number
}

export interface Accepted {
  view: MessageView
  /** The idempotency key was known: this is the message that it made the first time. */
  replayed: boolean
}
