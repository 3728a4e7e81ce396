/**
 * The soft fax modem for tests and benchmarks: built once from the C files beside this one (SpanDSP, libtiff), started as
 * a process, listened to. The built program is kept in the temporary directory under a hash of its sources.
 *
 * Suites that use it need `spandsp` of test/requirements.ts.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Timing } from '#fax/timing.ts'

export type Outcome = 'answer' | 'busy' | 'no-answer' | 'no-dial-tone' | 'voice' | 'silence'

/**
 * The program whose fax lines go by the time of a soft modem that is so many times faster than life, and what it is to
 * find in its environment; for a modem as fast as life the program as it is.
 */
export const programAt = (speed: number): { program?: string; environment?: Record<string, string> } =>
  speed === 1
    ? {}
    : {
        program: join(import.meta.dirname, 'fast-line.ts'),
        environment: { SOFT_MODEM_SPEED: String(speed) },
      }

export interface SoftModemOptions {
  /** Received pages are written there: call-1.tif, call-2.tif … */
  directory: string
  class?: '1' | '2' | '2.0'
  /** Two modems that call each other, 40 ms apart, instead of one and a fax machine. */
  pair?: boolean
  /** How much faster than life time passes while the modem works; while it waits for its program, it is life. */
  speed?: number
  /**
   * Faster than life, the line stands still for so many seconds while a program whose turn it is does nothing: a busy
   * machine may keep it from running.
   */
  patience?: number
  /** The far end sends this TIFF: when the modem is rung, and when it is called (then a caller finds a machine that polls). */
  send?: string
  station?: string
  ecm?: boolean
  /** 4800: V.27ter alone, 9600: V.29 too, 14400: V.17 too. */
  maxRate?: 4800 | 9600 | 14400
  /** The far end prints 98 rows an inch only. */
  coarse?: boolean
  /** ms that it needs for a row. */
  rowTime?: 5 | 10 | 20 | 40
  codings?: 'MH' | 'MR' | 'MMR'
  /** What becomes of the first call that is dialled, the second …; the last counts from then on. */
  outcomes?: readonly Outcome[]
  /** Seconds between dialling and going off hook. */
  answerAfter?: number
  ringEvery?: number
  lineDelay?: number
  /** The line is cut so many seconds after it was connected. */
  dropAfter?: number
  /** The line is cut while this page (from 0) is sent. */
  dropInPage?: { page: number; seconds: number }
  /** Steady noise, dBm0. Above -48 it counts as a carrier. */
  noise?: number
  /** Of noise, dBm0; at -99 the line is silent. */
  bursts?: readonly { at: number; length: number; level: number }[]
  /** So many trainings of a call fail. */
  spoilTraining?: number
  /** So many pages of a call are answered with RTN; after EOP the engine then refuses to get the page again, after MPS not. */
  refusePages?: number
  /** Each byte to and from the program, with the time on the line. */
  log?: string
  /** Report every frame. */
  frames?: boolean
  /** The process ends itself after these. */
  seconds?: number
  /** Under SCHED_FIFO, so that a busy machine does not make the line stutter. */
  realTimePriority?: boolean
}

export interface SoftModemEvent {
  event:
    | 'ready'
    | 'dialled'
    | 'connected'
    | 'page'
    | 'frame'
    | 'far-end'
    | 'hung-up'
    | 'dropped'
    | 'not-answered'
    | 'late'
  /** Seconds on the line. */
  at: number
  call?: number
  first?: string
  second?: string
  number?: string
  outcome?: Outcome
  /** The post-page frame, of a page event. */
  answer?: string
  ok?: boolean
  text?: string
  sent?: number
  received?: number
  rate?: number
  ecm?: boolean
  coding?: string
  rows?: number
  badRows?: number
  station?: string
  file?: string
  /** Since the line was connected. */
  seconds?: number
  /** The most that was sent to a modem that had said XOFF, bytes. */
  heldBack?: number
  /** Real milliseconds from a result code to the program's next byte, but for those after data. */
  answers?: number
  /** The longest after a training check or a page, where a line also waits until what it is about to do is durable. */
  longestAfterData?: number
  answerMedian?: number
  answerP99?: number
  answerMax?: number
  direction?: 'in' | 'out'
  type?: string
  length?: number
  ms?: number
}

export interface SoftModem {
  readonly pid: number
  /** The pty of the modem, and of the second one of a pair. */
  readonly port: string
  readonly secondPort: string
  readonly events: readonly SoftModemEvent[]
  /**
   * The time on the line. A driver that goes by it can be neither too slow nor too impatient because the machine is busy:
   * the modem's time stands still with it.
   */
  readonly timing: Timing
  /** The next event of a kind that was not taken yet. Rejects after `within` ms (60 s), or when the process ends. */
  next(event: SoftModemEvent['event'], within?: number): Promise<SoftModemEvent>
  /** The far end calls, and sends `file` (or talks, where there is none). */
  ring(caller?: string, file?: string): void
  /** Cuts the line. */
  drop(): void
  stop(): Promise<void>
}

const SOURCES = import.meta.dirname
const LIBRARIES = ['-lspandsp', '-ltiff', '-lm']
const WITHIN_MS = 60_000
let started = 0

/** @returns the path of the program, built if it was not */
export function buildSoftModem(): string {
  const sources = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name))
  const hash = createHash('sha256')
  for (const name of sources.toSorted()) hash.update(readFileSync(join(SOURCES, name)))
  const directory = join(tmpdir(), `twinline-soft-modem-${process.getuid?.() ?? 0}`)
  const program = join(directory, hash.digest('hex').slice(0, 16))
  if (existsSync(program)) return program
  mkdirSync(directory, { recursive: true })
  // Two suites may build at once: each its own file, and the last renaming wins with the same content.
  const fresh = `${program}.${process.pid}`
  const files = sources.filter((name) => name.endsWith('.c')).map((name) => join(SOURCES, name))
  const built = spawnSync('gcc', ['-O2', '-Wall', '-Wextra', '-o', fresh, ...files, ...LIBRARIES], {
    encoding: 'utf8',
  })
  if (built.status !== 0) throw new Error(`the soft modem was not built: ${built.stderr}`)
  renameSync(fresh, program)
  return program
}

/** Each option as the program takes it; what is absent is left to it. */
function argumentsOf(options: SoftModemOptions): string[] {
  const settings: Record<string, string | number | undefined> = {
    directory: options.directory,
    class: options.class,
    speed: options.speed,
    patience: options.patience,
    seconds: options.seconds,
    send: options.send,
    station: options.station,
    'max-rate': options.maxRate,
    codings: options.codings,
    outcomes: options.outcomes?.join(','),
    'answer-after': options.answerAfter,
    'ring-every': options.ringEvery,
    'line-delay': options.lineDelay,
    'drop-after': options.dropAfter,
    'drop-in-page': options.dropInPage && `${options.dropInPage.page}:${options.dropInPage.seconds}`,
    noise: options.noise,
    'row-time': options.rowTime,
    'spoil-training': options.spoilTraining,
    'refuse-pages': options.refusePages,
    log: options.log,
  }
  return [
    ...(options.pair ? ['--pair'] : []),
    ...(options.ecm ? ['--ecm'] : []),
    ...(options.coarse ? ['--coarse'] : []),
    ...(options.frames ? ['--frames'] : []),
    ...(options.bursts ?? []).map(({ at, length, level }) => `--burst=${at}:${length}:${level}`),
    ...Object.entries(settings).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    ),
  ]
}

export async function startSoftModem(options: SoftModemOptions): Promise<SoftModem> {
  mkdirSync(options.directory, { recursive: true })
  const clock = join(options.directory, `clock-${process.pid}-${++started}`)
  const program = [buildSoftModem(), ...argumentsOf(options), `--clock=${clock}`]
  const [command = '', ...args] = options.realTimePriority ? ['chrt', '-f', '40', ...program] : program
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const events = listen(child)
  const ready = await events.next('ready')
  const clockwork = openClock(clock, options.speed ?? 1)
  let stopped = false
  const tell = (line: string) => child.stdin?.write(`${line}\n`)
  return {
    pid: child.pid ?? 0,
    port: ready.first ?? '',
    secondPort: ready.second ?? '',
    events: events.all,
    timing: clockwork,
    next: events.next,
    ring: (caller = '-', file = '') => tell(`ring ${caller} ${file}`),
    drop: () => tell('drop'),
    async stop() {
      if (stopped) return
      stopped = true
      clockwork.stop()
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.stdin?.end()
      child.kill('SIGKILL')
      await gone
    },
  }
}

/**
 * A program that was kept from running is shown the time that passed meanwhile little by little, after it has read what
 * came: so many ms at a beat.
 */
const BEAT_MS = 5
const MOST_STEP_MS = 1_000

/** The clock that the program writes into a file: samples of 8 kHz. It stands still once it is stopped. */
function openClock(path: string, speed: number): Timing & { stop(): void } {
  const file = openSync(path, 'r')
  const samples = new BigInt64Array(1)
  let running = true
  let shown = 0
  const now = () => {
    if (running) readSync(file, samples, 0, 8, 0)
    return Math.min(Number(samples[0]) / 8, shown + MOST_STEP_MS)
  }
  const beat = setInterval(() => {
    // Behind what the loop has to read in this turn.
    setImmediate(() => {
      shown = now()
    })
  }, BEAT_MS)
  beat.unref()
  return {
    now,
    stop() {
      running = false
      clearInterval(beat)
      closeSync(file)
    },
    after(ms, run) {
      const due = now() + ms
      let timer: NodeJS.Timeout
      const look = () => {
        const left = due - now()
        if (left <= 0) run()
        else timer = setTimeout(look, left / speed)
      }
      timer = setTimeout(look, ms / speed)
      return () => clearTimeout(timer)
    },
  }
}

function listen(child: ChildProcess): { all: readonly SoftModemEvent[]; next: SoftModem['next'] } {
  const all: SoftModemEvent[] = []
  const taken = new Set<SoftModemEvent>()
  const waiting = new Set<() => void>()
  let ended: string | undefined
  const wake = () => {
    for (const look of [...waiting]) look()
  }
  const { stdout } = child
  if (!stdout) throw new Error('the soft modem has no output')
  createInterface({ input: stdout }).on('line', (line) => {
    all.push(JSON.parse(line))
    wake()
  })
  const end = (why: string) => {
    ended = why
    wake()
  }
  child.once('error', (error) => end(String(error)))
  child.once('close', (code, signal) => end(`it ended (${signal ?? code})`))
  return {
    all,
    next: (kind, within = WITHIN_MS) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer)
          waiting.delete(look)
          act()
        }
        const fail = (why: string) =>
          settle(() => reject(new Error(`soft modem: no "${kind}": ${why}; it said ${JSON.stringify(all)}`)))
        const look = () => {
          const found = all.find((event) => event.event === kind && !taken.has(event))
          if (found) {
            taken.add(found)
            settle(() => resolve(found))
          } else if (ended !== undefined) {
            fail(ended)
          }
        }
        const timer = setTimeout(() => fail(`not within ${within} ms`), within)
        waiting.add(look)
        look()
      }),
  }
}
