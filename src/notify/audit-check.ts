/**
 * Verifies the audit log of every member as it is held here, and compares it with what the other members hold. A
 * member that changes its own past is found out by the copies; one whose copies were changed, by its own chain.
 * Reads page by page, so that a long chain costs no memory.
 */
import { type ChainFault, verifyChain } from '#messages/audit.ts'
import type { AuditRecord } from '#messages/operation.ts'
import type { OperationLog } from '#store/contract.ts'

/** Where a member's chain ends for somebody. */
export interface AuditHead {
  /** Whose chain. */
  node: string
  /** 0 when there is no record. */
  number: number
  hash: string
}

/** What another member holds of one chain. */
export interface HeldHead extends AuditHead {
  /** Its hashes of the record that it was asked about; none when it does not hold it. */
  asked: string[]
}

export interface ChainReport {
  node: string
  /** The newest record held here; 0 when there is none. */
  records: number
  /** The first thing that is wrong. */
  fault?: ChainFault
  /** The other members' copies. */
  copies: { member: string; records: number; agrees: boolean }[]
}

export interface AuditReport {
  whole: boolean
  chains: ChainReport[]
  /** Members that did not answer, so that their copies were not compared. */
  silent: string[]
}

export type Source = Pick<OperationLog, 'audit' | 'positions'>

const PAGE = 500

/**
 * @param self this member: nobody else may hold more of its chain than itself
 * @param ask puts the own heads to all other members and returns what those hold that answered in time
 */
export async function checkAudit(
  store: Source,
  self: string,
  ask: (
    heads: readonly AuditHead[],
  ) => Promise<{ held: ReadonlyMap<string, readonly HeldHead[]>; silent: string[] }>,
): Promise<AuditReport> {
  const own = await auditHeads(store)
  const { held, silent } = await ask(own)
  const nodes = new Set([...own, ...[...held.values()].flat()].map(({ node }) => node))
  const chains: ChainReport[] = []
  for (const node of [...nodes].sort()) {
    const head = own.find((each) => each.node === node) ?? { node, number: 0, hash: '' }
    const more = [...held.values()].flat().some((copy) => copy.node === self && copy.number > head.number)
    const cut: ChainFault | undefined =
      node === self && more ? { number: head.number + 1, fault: 'missing' } : undefined
    const fault = (await firstFault(store, node)) ?? cut
    const copies: ChainReport['copies'] = []
    for (const [member, heads] of held) {
      const copy = heads.find((each) => each.node === node)
      if (copy !== undefined) {
        copies.push({ member, records: copy.number, agrees: await agrees(store, head, copy) })
      }
    }
    chains.push({ node, records: head.number, copies, ...(fault === undefined ? {} : { fault }) })
  }
  const whole = chains.every(
    ({ fault, copies }) => fault === undefined && copies.every((copy) => copy.agrees),
  )
  return { whole, chains, silent }
}

/** The shorter chain must be the beginning of the longer one; that one is still on its way is no fault. */
async function agrees(store: Source, head: AuditHead, copy: HeldHead): Promise<boolean> {
  if (head.number === 0 || copy.number === 0) return true
  if (copy.number >= head.number) return copy.asked.includes(head.hash)
  return (await hashesAt(store, copy.node, copy.number)).includes(copy.hash)
}

/** Where every chain ends that is held here. */
export async function auditHeads(store: Source): Promise<AuditHead[]> {
  const nodes = new Set((await store.positions()).map(({ origin }) => origin))
  const heads: AuditHead[] = []
  for (const node of [...nodes].sort()) {
    const { number, hash } = await newest(store, node)
    if (number > 0) heads.push({ node, number, hash })
  }
  return heads
}

/**
 * Where a member's chain ends as held here. The store finds records after a number, so the end is found by doubling and
 * halving instead of reading the whole chain.
 */
export async function newest(
  store: Pick<OperationLog, 'audit'>,
  origin: string,
): Promise<Pick<AuditRecord, 'number' | 'hash'>> {
  const after = async (number: number) => (await store.audit({ origin, after: number, limit: 1 }))[0]
  let known: Pick<AuditRecord, 'number' | 'hash'> = { number: 0, hash: '' }
  let step = 1
  for (;;) {
    const found = await after(known.number + step - 1)
    if (found !== undefined) {
      known = found
      step *= 2
    } else if (step === 1) return known
    else step = Math.max(1, Math.floor(step / 4))
  }
}

/** The answer to another member's heads. */
export async function heldHeads(store: Source, asked: readonly AuditHead[]): Promise<HeldHead[]> {
  const heads = await auditHeads(store)
  return Promise.all(
    heads.map(async (head) => {
      const number = asked.find(({ node }) => node === head.node)?.number
      return { ...head, asked: number === undefined ? [] : await hashesAt(store, head.node, number) }
    }),
  )
}

/** More than one where a member went on without the end of its log, which came back later (messages/audit.ts). */
async function hashesAt(store: Source, node: string, number: number): Promise<string[]> {
  const records = await store.audit({ origin: node, after: number - 1, limit: 8 })
  return records.filter((record) => record.number === number).map(({ hash }) => hash)
}

async function firstFault(store: Source, node: string): Promise<ChainFault | undefined> {
  let carried: AuditRecord[] = []
  let after = 0
  for (;;) {
    const page = await store.audit({ origin: node, after, limit: PAGE })
    const last = page.at(-1)?.number ?? after
    const full = page.length === PAGE
    // Records of one number may lie on both sides of a page's end: a full page's last number is read again.
    const taken = full ? page.filter(({ number }) => number < last) : page
    const records = carried.length > 0 || after > 0 ? [...carried, ...taken] : taken
    // Whoever took the first records away would otherwise have a chain that merely begins later.
    const begin = records[0]?.number
    if (after === 0 && begin !== undefined && begin > 1) return { number: 1, fault: 'missing' }
    const [fault] = verifyChain(records)
    if (fault !== undefined) return fault
    if (!full) return undefined
    const end = taken.at(-1)?.number
    if (end === undefined) return { number: last, fault: 'altered' }
    carried = taken.filter(({ number }) => number === end)
    after = end
  }
}
