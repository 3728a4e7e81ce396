/**
 * What the laboratory of the pair and those who use it (fault tests, `npm run bench:pair`, `npm run soak:pair`) say to
 * each other. The laboratory itself runs in namespaces of its own (enter.ts, stage.ts). Types and names only.
 *
 * Times are ms of CLOCK_MONOTONIC, which all processes of one machine share.
 */

/** `far` is behind a router, in a network of its own. */
export const memberNames = ['a', 'b', 'd', 'far'] as const
export type MemberName = (typeof memberNames)[number]

/** Everything that has a place in the network. */
export type HostName = MemberName | 'client' | 'witness'

export interface LabSetting {
  /** Where configurations, data and logs go; removed by whoever made it. */
  directory: string
  system: 'twinline' | 'keepalived'
  /** The members at the start: the first begins alone and the others join it. */
  members: readonly MemberName[]
  profile: string
  witness: boolean
  driver: 'iproute2' | 'nft' | 'external'
  mode?: 'active-standby' | 'active-active' | 'cold'
  /** Each member keeps its data on a disk of its own of that size, so that it can be full. */
  diskMB?: number
  /** keepalived only: advert_int in seconds. */
  advert?: number
  /** What a modem's network takes for a message, as the simulator's option `network`. */
  network?: string
  /** More of every member's `pair:` section, as lines of YAML. */
  more?: string
}

export const faults = [
  'kill-gateway',
  'kill-guard',
  'kill-all',
  'freeze-gateway',
  'freeze-all',
  'link-down',
  'mute',
  'partition',
  'one-way',
  'reboot-both',
  'stop',
  'handover',
  'takeover',
  'witness-lost',
  'disk-full',
  'standby-killed',
  'busy',
  'third-joins',
  'two-killed',
  'failback',
] as const
export type Fault = (typeof faults)[number]

export interface Window {
  /** Longest time between two answers of the responders at the address. */
  addressGap: number
  /** Longest time between two answers `ACTIVE` of the gateway over fresh connections. */
  outage: number
  /** The same over one kept connection, reconnected when it fails. */
  keptOutage: number
  /** How long two members held the address, by their kernels' own events. */
  overlap: number
  /** How often the address came to another member. */
  moves: number
}

export interface TrialReport {
  fault: Fault
  /** Who held the address before. */
  active: string
  /** Who held it when the repair began. */
  after: string[]
  /** From the fault until another member's responder answered first. */
  otherAnswers?: number
  /** From the fault until the repair. */
  during: Window
  /** From the beginning of the repair until everything was well again. */
  repair: Window
  /** From the new holder's address until it wrote its first AT+CMGS to a modem. */
  firstSending?: number
  messages: MessageAccount
  /** Sentences about what was not as it should be, for people. */
  remarks: string[]
}

/** What became of the messages that the client posted since the trial began. */
export interface MessageAccount {
  accepted: number
  /** Accepted between fault and repair. */
  acceptedDuring: number
  /** Posted, and in the end refused or never answered. */
  unaccepted: number
  /** Accepted, and no copy ever reached the phone. */
  lost: number
  /** Copies beyond the first that reached a phone. */
  duplicates: number
  /** Messages with such copies that nobody flagged as possible duplicates. */
  unflagged: number
}

/** What a visitor does next. `body` is JSON. */
export type VisitorOrder =
  | { do: 'request'; method: string; url: string; headers?: Record<string, string>; body?: unknown }
  /** Begins to listen to an event stream, which `heard` asks about. */
  | { do: 'listen'; url: string; headers: Record<string, string> }
  | { do: 'heard' }
  /** Opens the panel in a real browser; logs in there. */
  | { do: 'open'; url: string; name: string; password: string }
  /** Waits until something is on its screen. @param where a selector */
  | { do: 'see'; where: string; text: string; withinMs: number }
  /** The same for something that may be gone soon: begins to wait; `came` is answered once it was there. */
  | { do: 'expect'; where: string; text: string; withinMs: number }
  | { do: 'came' }

export interface VisitorAnswer {
  /** Of `request`; 0 when there was no answer. */
  status: number
  headers: Record<string, string>
  /** The Set-Cookie headers. */
  cookies: string[]
  /** The answer's text, what was heard so far, or what is on the screen. */
  text: string
  /** Of `heard`: the stream has ended. */
  over: boolean
}

/** Something the laboratory is asked to do. Answered in order, one at a time. */
export type LabRequest =
  | { kind: 'open'; setting: LabSetting }
  /** @param watchMs how long a fault is watched at which nothing moves */
  | { kind: 'trial'; fault: Fault; watchMs?: number }
  | { kind: 'call'; member: MemberName; method: string; path: string; body?: unknown }
  | { kind: 'log'; member: MemberName }
  /** `kill`: all its processes at once, as if its plug were pulled but for its network. */
  | { kind: 'power'; member: MemberName; what: 'kill' | 'start' }
  /** Its cable out, or in again: to everybody else it is gone without a word. */
  | { kind: 'cable'; member: MemberName; plugged: boolean }
  /** A person's browser, in the client's place in the network. */
  | { kind: 'visit'; order: VisitorOrder }
  | { kind: 'measure'; what: 'accept' | 'traffic' | 'guard'; seconds: number }

export interface LabAnswers {
  open: MemberName[]
  trial: TrialReport
  call: { status: number; body: Record<string, unknown> }
  log: string
  power: null
  cable: null
  visit: VisitorAnswer
  measure: Record<string, number>
}

/** Two monitors in user space stamp what happens at one instant up to a few ms apart. */
const SAME_INSTANT_MS = 5
const LINES = 2

/** What no fault may break, as sentences; empty when all was kept. */
export function brokenPromises(report: TrialReport, { witness }: { witness: boolean }): string[] {
  const { fault, during, repair, messages, remarks } = report
  // Without a witness both are active while they cannot hear each other, and each sends what both hold.
  const split = !witness && (fault === 'mute' || fault === 'partition' || fault === 'one-way')
  const broken = [...remarks]
  if (messages.accepted === 0) broken.push('no message was accepted')
  if (messages.lost > 0) broken.push(`${messages.lost} messages were lost`)
  if (messages.unaccepted > 0) broken.push(`${messages.unaccepted} messages were never accepted`)
  if (messages.unflagged > 0) broken.push(`${messages.unflagged} copies are not flagged`)
  if (split) return broken
  if (messages.duplicates > LINES) broken.push(`${messages.duplicates} copies, and ${LINES} lines in flight`)
  for (const { overlap } of [during, repair]) {
    if (overlap >= SAME_INSTANT_MS) broken.push(`two held the address for ${overlap.toFixed(1)} ms`)
  }
  return broken
}
