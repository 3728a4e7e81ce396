/**
 * What the two sides of a ceremony say to each other: JSON, one line each, few and short. A line that is too long, not
 * JSON or of another shape ends the ceremony. Reads no clock but the deadline's timer.
 */
import type { TLSSocket } from 'node:tls'
import { type MemberRecord, pairModes } from '#messages/operation.ts'

/** Refused by a side that speaks none of the other's versions; golden files hold each of them. */
export const VERSIONS = { min: 1, current: 1 } as const

/** Members of a pair at most; far more than anybody has. */
export const MOST_MEMBERS = 16
/** Bytes of a line: every member with eight paths of long names. */
const LONGEST_LINE = 65_536
export const DEADLINE_MS = 10_000

export interface Prove {
  step: 'prove'
  versions: { min: number; current: number }
  invitation: string
  proof: string
  member: MemberRecord
}
export interface Admit {
  step: 'admit'
  proof: string
  /** 32 bytes, base64. */
  pairingKey: string
  /** Every current member, the inviter among them. */
  members: readonly MemberRecord[]
}
/** The joiner has everything on its disk. */
export interface Stored {
  step: 'stored'
}
/** The joiner is a member from here on. */
export interface Admitted {
  step: 'admitted'
}
export interface Refused {
  step: 'refused'
  code: string
  text: string
}
export type Said = Prove | Admit | Stored | Admitted | Refused

/** The other side's fault, or the network's: the ceremony ends. */
export class CeremonyBroken extends Error {
  readonly code: 'pair-ceremony-broken' | 'pair-timeout'

  constructor(code: CeremonyBroken['code'], message: string) {
    super(message)
    this.name = 'CeremonyBroken'
    this.code = code
  }
}

export interface Conversation {
  say(what: Said): void
  /** The next line. @throws CeremonyBroken at the deadline, at the end of the connection, or when it is no line of ours */
  hear(): Promise<Said>
  /** Sends what was said and closes. */
  end(): void
}

/** @param deadlineMs for the whole conversation, from now */
export function converse(socket: TLSSocket, deadlineMs = DEADLINE_MS): Conversation {
  const heard: Said[] = []
  let waiting: PromiseWithResolvers<Said> | undefined
  let broken: CeremonyBroken | undefined
  let pending = ''

  const timer = setTimeout(() => fail('pair-timeout', 'the other side did not answer in time'), deadlineMs)
  function fail(code: CeremonyBroken['code'], text: string): void {
    broken ??= new CeremonyBroken(code, text)
    waiting?.reject(broken)
    waiting = undefined
    clearTimeout(timer)
    socket.destroy()
  }
  function take(line: string): void {
    const said = readLine(line)
    if (said === undefined)
      fail('pair-ceremony-broken', 'the other side said something that is not understood')
    else if (waiting === undefined && heard.length >= 4) {
      fail('pair-ceremony-broken', 'the other side speaks without being asked')
    } else if (waiting === undefined) heard.push(said)
    else {
      waiting.resolve(said)
      waiting = undefined
    }
  }

  socket.setEncoding('utf8')
  socket.on('data', (text: string) => {
    pending += text
    for (let end = pending.indexOf('\n'); end >= 0 && broken === undefined; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end)
      pending = pending.slice(end + 1)
      take(line)
    }
    if (pending.length > LONGEST_LINE)
      fail('pair-ceremony-broken', 'the other side sent a line without an end')
  })
  socket.on('error', (error) => fail('pair-ceremony-broken', `the connection failed: ${error.message}`))
  socket.on('close', () => fail('pair-ceremony-broken', 'the connection ended before its time'))

  return {
    say(what) {
      if (!socket.destroyed) socket.write(`${JSON.stringify(what)}\n`)
    },
    async hear() {
      const next = heard.shift()
      if (next !== undefined) return next
      if (broken !== undefined) throw broken
      waiting = Promise.withResolvers<Said>()
      return waiting.promise
    },
    end() {
      clearTimeout(timer)
      // A side that never closes its half would keep the connection.
      setTimeout(() => socket.destroy(), 1_000).unref()
      socket.end()
    },
  }
}

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const short = (value: unknown): value is string => typeof value === 'string' && value.length <= 1_000

export function readLine(line: string): Said | undefined {
  let said: unknown
  try {
    said = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isFields(said)) return undefined
  const { step, versions, invitation, proof, member, pairingKey, members, code, text } = said
  switch (step) {
    case 'prove': {
      const record = readMember(member)
      if (!isFields(versions) || !short(invitation) || !short(proof) || record === undefined) return undefined
      const { min, current } = versions
      if (typeof min !== 'number' || typeof current !== 'number') return undefined
      return { step, versions: { min, current }, invitation, proof, member: record }
    }
    case 'admit': {
      if (!short(proof) || !short(pairingKey) || !Array.isArray(members)) return undefined
      const records = members.slice(0, MOST_MEMBERS + 1).map(readMember)
      const whole = records.filter((record) => record !== undefined)
      if (whole.length !== members.length || whole.length > MOST_MEMBERS) return undefined
      return { step, proof, pairingKey, members: whole }
    }
    case 'stored':
    case 'admitted':
      return { step }
    case 'refused':
      return short(code) && /^[a-z0-9-]{1,60}$/.test(code) && short(text) ? { step, code, text } : undefined
    default:
      return undefined
  }
}

const addressList = (value: unknown, most: number): value is string[] =>
  Array.isArray(value) && value.length <= most && value.every((each) => short(each) && each.length <= 300)

/** @returns undefined when it is no record of a member; what is not of the record is left out */
export function readMember(value: unknown): MemberRecord | undefined {
  if (!isFields(value)) return undefined
  const { node, fingerprint, guard, log, web, priority } = value
  const mode = pairModes.find((each) => each === value['mode'])
  if (!short(node) || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(node)) return undefined
  if (!short(fingerprint) || !/^[0-9a-f]{64}$/.test(fingerprint)) return undefined
  if (!addressList(guard, 8) || !addressList(log, 8) || (web !== undefined && !addressList(web, 16)))
    return undefined
  if (typeof priority !== 'number' || !Number.isInteger(priority) || priority < 0 || priority > 255)
    return undefined
  return {
    node,
    fingerprint,
    guard,
    log,
    priority,
    ...(web === undefined ? {} : { web }),
    ...(mode === undefined ? {} : { mode }),
  }
}
