/**
 * Members tell each other where the audit chains end that they hold, when one of them verifies (audit-check.ts): a
 * question to every member, over the links of the log. Version 1; unknown fields are passed over.
 */
import type { Replication } from '#pair/replication/replication.ts'
import type { Handler } from '#pair/replication/requests.ts'
import { type AuditHead, type HeldHead, heldHeads, type Source } from './audit-check.ts'

/** The topic of the question. */
export const AUDIT_TOPIC = 'audit-heads'
/** How long other members have to answer, ms; they read a few rows. */
const DEADLINE_MS = 3_000
/** Chains in one packet; a pair has as many as it ever had members. */
const MOST_CHAINS = 256

/** Puts the own heads to every other member. Never rejects; who does not answer in time is `silent`. */
export async function askHeads(
  members: readonly string[],
  replication: Pick<Replication, 'request'>,
  heads: readonly AuditHead[],
): Promise<{ held: Map<string, HeldHead[]>; silent: string[] }> {
  const body = JSON.stringify({ v: 1, heads })
  const held = new Map<string, HeldHead[]>()
  await Promise.all(
    members.map(async (member) => {
      const answer = await replication.request(member, AUDIT_TOPIC, body, DEADLINE_MS)
      const found = answer.result === 'answered' ? headsOf(answer.body) : undefined
      if (found !== undefined) held.set(member, found)
    }),
  )
  return { held, silent: members.filter((member) => !held.has(member)) }
}

/** What answers another member's question. */
export const answerHeads =
  (store: Source): Handler =>
  async (_from, body) => {
    const asked = headsOf(body)
    if (asked === undefined)
      return { result: 'failed', code: 'request-malformed', text: 'no heads of chains' }
    return { result: 'answered', body: JSON.stringify({ v: 1, heads: await heldHeads(store, asked) }) }
  }

/** @returns undefined for what is not of this version */
function headsOf(body: string): HeldHead[] | undefined {
  try {
    const { v, heads } = JSON.parse(body) as Record<string, unknown>
    if (v !== 1 || !Array.isArray(heads) || heads.length > MOST_CHAINS) return undefined
    return heads.map(headOf)
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
