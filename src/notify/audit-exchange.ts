/**
 * Members tell each other where the audit chains end that they hold, when one of them verifies (audit-check.ts). One
 * question to every member, one answer each, over the gateway's links; version 1, unknown fields are passed over.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { AuditHead, HeldHead } from './audit-check.ts'

/** The topic on the gateway's links. */
export const AUDIT_TOPIC = 'audit'

/** How long other members have to answer, ms; they read a few rows. */
const DEADLINE_MS = 3_000
/** Chains in one packet; a pair has as many as it ever had members. */
const MOST_CHAINS = 256
/** Questions that are answered at a time. */
const MOST_ANSWERS = 4

interface ExchangeParts {
  /** Other members that can be asked. */
  members(): readonly string[]
  /** @returns false when no path to it is open */
  send(to: string, payload: string): boolean
  /** What this member holds, for another one that asks. */
  held(asked: readonly AuditHead[]): Promise<HeldHead[]>
  log: Log
}

export interface AuditExchange {
  ask(heads: readonly AuditHead[]): Promise<{ held: Map<string, HeldHead[]>; silent: string[] }>
  /** A packet of this topic came. Never throws. */
  receive(from: string, payload: Buffer): void
}

export function createAuditExchange({ members, send, held, log }: ExchangeParts): AuditExchange {
  const asking = new Map<number, { held: Map<string, HeldHead[]>; wanted: Set<string>; done: () => void }>()
  let last = 0
  let answering = 0

  async function answer(to: string, id: number, heads: AuditHead[]): Promise<void> {
    if (answering >= MOST_ANSWERS) return
    answering += 1
    try {
      send(to, JSON.stringify({ v: 1, kind: 'held', id, heads: await held(heads) }))
    } catch (error) {
      log.warn({ from: to, error: errorText(error) }, 'the audit log could not be compared')
    } finally {
      answering -= 1
    }
  }

  return {
    async ask(heads) {
      const everybody = members()
      last += 1
      const id = last
      const payload = JSON.stringify({ v: 1, kind: 'ask', id, heads })
      const wanted = new Set(everybody.filter((member) => send(member, payload)))
      const answers = new Map<string, HeldHead[]>()
      if (wanted.size > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, DEADLINE_MS)
          const done = () => {
            clearTimeout(timer)
            resolve()
          }
          asking.set(id, { held: answers, wanted, done })
        })
        asking.delete(id)
      }
      return { held: answers, silent: everybody.filter((member) => !answers.has(member)) }
    },

    receive(from, payload) {
      const packet = read(payload)
      if (packet === undefined) return
      if (packet.kind === 'ask') {
        void answer(from, packet.id, packet.heads)
        return
      }
      const question = asking.get(packet.id)
      if (question === undefined || !question.wanted.delete(from)) return
      question.held.set(from, packet.heads)
      if (question.wanted.size === 0) question.done()
    },
  }
}

interface Packet {
  kind: 'ask' | 'held'
  id: number
  heads: HeldHead[]
}

/** @returns undefined for what is no packet of ours */
function read(payload: Buffer): Packet | undefined {
  try {
    const { v, kind, id, heads } = JSON.parse(payload.toString()) as Record<string, unknown>
    if (v !== 1 || (kind !== 'ask' && kind !== 'held') || typeof id !== 'number') return undefined
    if (!Array.isArray(heads) || heads.length > MOST_CHAINS) return undefined
    return { kind, id, heads: heads.map(headOf) }
  } catch {
    return undefined
  }
}

/** @throws for what is no head */
function headOf(value: unknown): HeldHead {
  const { node, number, hash, asked = [] } = value as Record<string, unknown>
  if (typeof node !== 'string' || !Number.isSafeInteger(number) || typeof hash !== 'string') {
    throw new Error('no head of a chain')
  }
  return {
    node,
    number: Number(number),
    hash,
    asked: Array.isArray(asked) ? asked.map(String).slice(0, 8) : [],
  }
}
