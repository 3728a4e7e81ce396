/**
 * The rows of `npm run bench:pair`: which fault in which setting, which figures are taken of it, what is to be reached,
 * and what keepalived is compared by. Data only.
 */
import type { Fault, LabSetting, TrialReport } from '../../lab/contract.ts'

export interface Figure {
  name: string
  unit: 'ms' | '' | 'kB/h' | 'MB' | '1/s'
  of(report: TrialReport): number | undefined
  /** The largest median that reaches the goal. */
  reach?: number
}

export interface FaultRow {
  name: string
  setting: SettingName
  fault: Fault
  figures: readonly Figure[]
  /** The same of keepalived: fault and what is taken of it. */
  keepalived?: { fault: Fault; figures: readonly Figure[] }
}

type Setting = Pick<LabSetting, 'profile' | 'witness' | 'driver'>

export const settings = {
  plain: { profile: 'fast', witness: false, driver: 'iproute2' },
  witness: { profile: 'fast', witness: true, driver: 'iproute2' },
  nft: { profile: 'fast', witness: false, driver: 'nft' },
  nftWitness: { profile: 'fast', witness: true, driver: 'nft' },
} as const satisfies Record<string, Setting>
export type SettingName = keyof typeof settings

const figure = (
  name: string,
  of: (report: TrialReport) => number | undefined,
  reach?: number,
  unit: Figure['unit'] = 'ms',
): Figure => ({ name, unit, of, ...(reach === undefined ? {} : { reach }) })

const outage = (reach: number) => figure('client outage', ({ during }) => during.outage, reach)
const gap = (reach?: number) => figure('address gap', ({ during }) => during.addressGap, reach)
/** Two monitors in user space stamp what happens at one instant up to a few ms apart. */
const overlap = (reach?: number) => figure('both hold it', ({ during }) => during.overlap, reach)
const lost = figure('messages lost', ({ messages }) => messages.lost, 0, '')
const twice = figure('duplicates', ({ messages }) => messages.duplicates, undefined, '')
const unflagged = figure('unflagged', ({ messages }) => messages.unflagged, 0, '')
const first = figure('first message of the survivor', ({ firstSending }) => firstSending, 300)
const moves = figure('needless moves', ({ during, repair }) => during.moves + repair.moves, 0, '')
const healed = (reach?: number) => figure('client outage at the heal', ({ repair }) => repair.outage, reach)
const addressHealed = figure('address gap at the heal', ({ repair }) => repair.addressGap)
const bothAfter = figure('both still hold it', ({ after }) => (after.length > 1 ? 1 : 0), undefined, '')
const kept = [lost, twice, unflagged]

const alike = (fault: Fault) => ({ fault, figures: [gap(), bothAfter] })

function everythingDead(fault: 'kill-all' | 'freeze-all', setting: SettingName): FaultRow {
  const voted = settings[setting].witness
  const lease = settings[setting].driver === 'nft'
  return {
    name: `${fault} ${setting}`,
    setting,
    fault,
    figures: [
      gap(lease ? 900 : voted ? 1_000 : 700),
      outage(lease ? 900 : voted ? 2_100 : 1_700),
      overlap(2),
      first,
      ...kept,
    ],
    keepalived: alike(fault),
  }
}

function cutOff(fault: 'link-down' | 'mute', setting: SettingName): FaultRow {
  const voted = settings[setting].witness
  const reach = settings[setting].driver === 'nft' ? 900 : voted ? 2_100 : 1_700
  // A muted box without a witness keeps the address until it is heard again, where nobody can reach it.
  const alone = fault === 'link-down' || voted
  return {
    name: `${fault} ${setting}`,
    setting,
    fault,
    figures: [outage(reach), overlap(alone ? 2 : undefined), ...kept],
    keepalived: alike(fault),
  }
}

export const faultRows: readonly FaultRow[] = [
  {
    name: 'gateway killed',
    setting: 'plain',
    fault: 'kill-gateway',
    figures: [outage(100), overlap(2), first, ...kept],
    keepalived: alike('kill-all'),
  },
  {
    name: 'gateway frozen',
    setting: 'plain',
    fault: 'freeze-gateway',
    figures: [outage(2_300), overlap(2), ...kept],
  },
  {
    name: 'guard killed',
    setting: 'plain',
    fault: 'kill-guard',
    figures: [outage(1_700), overlap(2), ...kept],
    keepalived: alike('kill-all'),
  },
  everythingDead('kill-all', 'plain'),
  everythingDead('freeze-all', 'plain'),
  everythingDead('kill-all', 'witness'),
  everythingDead('freeze-all', 'witness'),
  cutOff('link-down', 'plain'),
  cutOff('link-down', 'witness'),
  cutOff('mute', 'plain'),
  cutOff('mute', 'witness'),
  {
    name: 'split witness',
    setting: 'witness',
    fault: 'partition',
    figures: [moves, overlap(0), outage(300), ...kept],
    keepalived: alike('partition'),
  },
  {
    name: 'split plain',
    setting: 'plain',
    fault: 'partition',
    figures: [healed(150), lost, twice, unflagged],
    keepalived: { fault: 'partition', figures: [addressHealed, bothAfter] },
  },
  {
    name: 'planned handover',
    setting: 'plain',
    fault: 'handover',
    figures: [outage(50), overlap(2), ...kept],
    keepalived: { fault: 'stop', figures: [gap()] },
  },
  {
    name: 'planned stop',
    setting: 'plain',
    fault: 'stop',
    figures: [outage(100), overlap(2), ...kept],
    keepalived: alike('stop'),
  },
  everythingDead('kill-all', 'nft'),
  cutOff('link-down', 'nft'),
  cutOff('mute', 'nft'),
  everythingDead('kill-all', 'nftWitness'),
  cutOff('mute', 'nftWitness'),
]
