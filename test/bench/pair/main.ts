/**
 * The figures of the pair, medians of many trials in the laboratory (test/lab), beside keepalived in the same one.
 *
 *   npm run bench:pair -- [--trials 20] [--only "gateway killed,mute witness"] [--seconds 60] [--directory DIR]
 *                         [--no-keepalived]
 *
 * A table on stdout, progress on stderr. Every trial is bounded; one that fails is told and counts as a failure.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Fault, faults, type LabSetting, type TrialReport } from '../../lab/contract.ts'
import { enterLab, type Lab } from '../../lab/enter.ts'
import { machine } from '../measure.ts'
import { type Measured, measuredRows } from './measured.ts'
import { type FaultRow, type Figure, faultRows, type SettingName, settings } from './rows.ts'
import { medianOf, shown } from './shown.ts'

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '60' },
    directory: { type: 'string', default: '.' },
    keepalived: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const trials = Number(values.trials)
const only = values.only === '' ? undefined : new Set(values.only.split(',').map((name) => name.trim()))
const known = [...faultRows, ...measuredRows].map(({ name }) => name)
const unknown = [...(only ?? [])].filter((name) => !known.includes(name))
if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; known: ${known.join(', ')}`)
const wanted = <Row extends { name: string }>(rows: readonly Row[]) =>
  rows.filter(({ name }) => only === undefined || only.has(name))
const say = (line: string) => process.stderr.write(`${line}\n`)

const directory = mkdtempSync(join(resolve(values.directory), 'bench-pair-'))
let opened = 0

async function withLab<T>(
  setting: Omit<LabSetting, 'directory'>,
  body: (lab: Lab) => Promise<T>,
): Promise<T> {
  const lab = await enterLab()
  try {
    const own = join(directory, String(opened++))
    await lab.ask({ kind: 'open', setting: { directory: own, ...setting } }, 180_000)
    return await body(lab)
  } finally {
    await lab.close()
  }
}

/** Runs a fault again and again; a trial that fails costs its laboratory. */
async function repeat(
  setting: Omit<LabSetting, 'directory'>,
  fault: Fault,
  what: string,
): Promise<TrialReport[]> {
  const reports: TrialReport[] = []
  let failures = 0
  while (reports.length + failures < trials && failures < 3) {
    try {
      await withLab(setting, async (lab) => {
        while (reports.length + failures < trials) {
          const report = await lab.ask({ kind: 'trial', fault, watchMs: 2_500 }, 180_000)
          reports.push(report)
          const { during, messages, remarks } = report
          say(
            `${what} ${reports.length}/${trials}: outage ${during.outage.toFixed(0)} ms, gap ${during.addressGap.toFixed(0)} ms, both ${during.overlap.toFixed(1)} ms, lost ${messages.lost}, twice ${messages.duplicates} ${remarks.join('; ')}`,
          )
        }
      })
    } catch (error) {
      failures++
      process.exitCode = 1
      say(`${what}: a trial failed: ${error}`)
    }
  }
  return reports
}

function print(row: string, figures: readonly Figure[], reports: readonly TrialReport[], peer: string): void {
  for (const [n, figure] of figures.entries()) {
    const samples = reports.flatMap((report) => figure.of(report) ?? [])
    const reached = figure.reach === undefined ? '' : `≤ ${figure.reach}`
    const met = figure.reach === undefined || (medianOf(samples) ?? Number.POSITIVE_INFINITY) <= figure.reach
    const cells = [n === 0 ? row : '', figure.name, shown(samples, figure.unit), reached, met ? '' : 'missed']
    process.stdout.write(`| ${[...cells, n === 0 ? peer : ''].join(' | ')} |\n`)
  }
}

const peerReports = new Map<Fault, TrialReport[]>()

async function peer(row: FaultRow): Promise<string> {
  if (!row.keepalived || !values.keepalived) return ''
  const { fault, figures } = row.keepalived
  let reports = peerReports.get(fault)
  if (!reports) {
    const setting = { system: 'keepalived', members: ['a', 'b'], ...settings.plain, advert: 0.1 } as const
    reports = await repeat(setting, fault, `keepalived ${fault}`)
    peerReports.set(fault, reports)
  }
  return figures
    .map(
      (one) =>
        `${one.name} ${shown(
          (reports ?? []).flatMap((report) => one.of(report) ?? []),
          one.unit,
        )}`,
    )
    .join('; ')
}

const settingOf = (name: SettingName) =>
  ({ system: 'twinline', members: ['a', 'b'], network: '100-200', ...settings[name] }) as const

async function measured(row: Measured): Promise<void> {
  const found = await withLab(row.setting, (lab) =>
    lab.ask({ kind: 'measure', what: row.what, seconds: Number(values.seconds) }, 600_000),
  )
  say(`${row.name}: ${JSON.stringify(found)}`)
  for (const [n, figure] of row.figures.entries()) {
    const value = found[figure.key] ?? Number.NaN
    const met =
      figure.least === undefined ? value <= (figure.most ?? Number.POSITIVE_INFINITY) : value >= figure.least
    const reach =
      figure.least === undefined ? (figure.most === undefined ? '' : `≤ ${figure.most}`) : `≥ ${figure.least}`
    const cells = [
      n === 0 ? row.name : '',
      figure.name,
      shown([value], figure.unit),
      reach,
      met ? '' : 'missed',
      '',
    ]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
  }
}

try {
  say(JSON.stringify(machine(directory)))
  say(`${faults.length} faults known, ${trials} trials each; median (least to most)`)
  process.stdout.write(
    '| row | figure | twinline | to reach | | keepalived, advert 0.1 s |\n|---|---|---|---|---|---|\n',
  )
  for (const row of wanted(faultRows)) {
    const reports = await repeat(settingOf(row.setting), row.fault, row.name)
    print(row.name, row.figures, reports, await peer(row))
  }
  for (const row of wanted(measuredRows)) {
    await measured(row).catch((error: unknown) => {
      process.exitCode = 1
      say(`${row.name}: ${error}`)
    })
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
