/**
 * What the store costs, one JSON line a figure. Run on a quiet machine: node test/bench/store.ts [directory]
 *
 * The directory must be on the disk in question; a new one is made in it and removed at the end.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '#core/ids.ts'
import { type Message, newDelivery } from '#messages/message.ts'
import type { Acceptance, LogBatch, Store } from '#store/contract.ts'
import { openStore } from '#store/sqlite.ts'

const again = process.argv[2] === '--reopen'
const directory = again
  ? (process.argv[3] ?? '')
  : mkdtempSync(join(process.argv[2] ?? tmpdir(), 'bench-store-'))
const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version }
const term = { counter: 1, node: 'a' }

const print = (figure: string, values: object): void =>
  console.log(JSON.stringify({ bench: 'store', figure, ...values, ...machine }))

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000

function percentiles(values: number[]): { p50: number; p99: number } {
  values.sort((a, b) => a - b)
  const at = (share: number) => rounded(values[Math.floor(values.length * share)] ?? 0)
  return { p50: at(0.5), p99: at(0.99) }
}

function make(
  priority: Message['priority'] = 2,
  text = 'Cold store 7: door open for 15 minutes',
): Acceptance {
  const at = Date.now()
  const message: Message = {
    id: newId(at),
    at,
    node: 'a',
    source: 'http:monitoring',
    text,
    priority,
    validity: 86_400_000,
    onUnknown: 'resend',
    flash: false,
  }
  return {
    message,
    deliveries: [newDelivery(message, 0, '+491701234567', 'sms', 1)],
    key: { key: newId(at), bodyHash: 'a'.repeat(64) },
  }
}

const written = (): number => Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
const resident = (): number =>
  rounded(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_024)

let reference = 0
/** One message from acceptance to its status report, each step on disk before the next. */
async function life(store: Store, one: Acceptance): Promise<void> {
  await store.accept([one], { until: 0, term })
  const id = one.deliveries[0]?.id ?? ''
  await store.record([
    {
      delivery: id,
      at: Date.now(),
      event: { event: 'intend', node: 'a', line: 'gsm0', part: 0, concatenation: 1 },
    },
  ])
  reference = (reference + 1) % 256
  await store.record([
    {
      delivery: id,
      at: Date.now(),
      event: { event: 'accepted', reference, reportBy: Date.now() + 86_400_000 },
    },
  ])
  const match = await store.matchReport({
    node: 'a',
    line: 'gsm0',
    reference,
    to: '01701234567',
    at: Date.now(),
  })
  if (!match) throw new Error('the report found nothing')
  await store.record([
    { delivery: match.delivery, at: Date.now(), event: { event: 'report', part: match.part } },
  ])
}

function fsyncs(): { p50: number; p99: number } {
  const file = openSync(join(directory, 'probe'), 'w')
  const block = Buffer.alloc(4_096)
  const times: number[] = []
  for (let n = 0; n < 500; n++) {
    const start = performance.now()
    writeSync(file, block, 0, block.length, 0)
    fdatasyncSync(file)
    times.push(performance.now() - start)
  }
  closeSync(file)
  return percentiles(times)
}

async function lives(store: Store): Promise<void> {
  for (let n = 0; n < 300; n++) await life(store, make())
  const before = written()
  const cpu = process.cpuUsage()
  const count = 3_000
  for (let n = 0; n < count; n++) await life(store, make())
  // Longer than the pause before a checkpoint, so that the last one is counted.
  await new Promise((resolve) => setTimeout(resolve, 500))
  const used = process.cpuUsage(cpu)
  print('bytes written in one life, one message at a time', {
    bytes: Math.round((written() - before) / count),
  })
  print('CPU of one life, one message at a time', { ms: rounded((used.user + used.system) / 1_000 / count) })
}

async function recordRoundTrip(store: Store): Promise<void> {
  const times: number[] = []
  for (let n = 0; n < 2_000; n++) {
    const one = make()
    await store.accept([one])
    const start = performance.now()
    await store.record([
      {
        delivery: one.deliveries[0]?.id ?? '',
        at: Date.now(),
        event: { event: 'intend', node: 'a', line: 'gsm0', part: 0, concatenation: 1 },
      },
    ])
    times.push(performance.now() - start)
  }
  const fsync = fsyncs()
  print('record round trip, one caller', { ms: percentiles(times), fsyncMs: fsync })
}

async function together(callers: number, count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count
  const caller = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

async function acceptRate(store: Store): Promise<void> {
  const count = 40_000
  const start = performance.now()
  const cpu = process.cpuUsage()
  await together(64, count, () => store.accept([make()]))
  const used = process.cpuUsage(cpu)
  print('accept, 64 callers', {
    perSecond: Math.round((count * 1_000) / (performance.now() - start)),
    cpuMs: rounded((used.user + used.system) / 1_000 / count),
  })
}

/** As acceptRate, with what a follower costs; then that follower takes the log in, in batches of about 64 kB. */
async function replicate(): Promise<void> {
  const store = await openStore({ directory: join(directory, 'leader'), node: 'a' })
  const follower = await openStore({ directory: join(directory, 'follower'), node: 'b' })
  const batches: LogBatch[] = []
  store.onLogged((batch) => batches.push(batch))
  const count = 20_000
  let start = performance.now()
  let cpu = process.cpuUsage()
  await together(64, count, () => store.accept([make()]))
  let used = process.cpuUsage(cpu)
  print('accept, 64 callers, the log listened to', {
    perSecond: Math.round((count * 1_000) / (performance.now() - start)),
    cpuMs: rounded((used.user + used.system) / 1_000 / count),
  })
  start = performance.now()
  cpu = process.cpuUsage()
  for (const batch of batches) await follower.merge(batch)
  used = process.cpuUsage(cpu)
  print('entries of another member taken in', {
    perSecond: Math.round((count * 1_000) / (performance.now() - start)),
    cpuMs: rounded((used.user + used.system) / 1_000 / count),
    inABatch: Math.round(count / batches.length),
  })
  start = performance.now()
  const view = await store.snapshot()
  const into = await openStore({ directory: join(directory, 'third'), node: 'c' })
  const writer = await into.loadSnapshot()
  const pages: number[] = []
  for (;;) {
    const asked = performance.now()
    const page = await view.next()
    pages.push(performance.now() - asked)
    if (page === undefined) break
    await writer.add(page)
  }
  await writer.finish(view.positions)
  print('snapshot of 20,000 messages read and taken in', {
    seconds: rounded((performance.now() - start) / 1_000),
    pageMs: percentiles(pages),
  })
  await view.close()
  for (const each of [store, follower, into]) await each.close()
}

async function livesTogether(store: Store, callers: number): Promise<void> {
  const count = 4_000
  const start = performance.now()
  const cpu = process.cpuUsage()
  await together(callers, count, () => life(store, make(0)))
  const used = process.cpuUsage(cpu)
  print(`CPU of one life, ${callers} at a time`, {
    ms: rounded((used.user + used.system) / 1_000 / count),
    perSecond: Math.round((count * 1_000) / (performance.now() - start)),
  })
}

/** Claim, intend, accepted: what the queue's length may touch. */
async function deliveryCost(store: Store): Promise<{ wallMs: number; cpuMs: number }> {
  const count = 1_000
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (let n = 0; n < count; n++) {
    const now = Date.now()
    const { claims } = await store.claim({ limit: 1, now, until: now, term })
    const delivery = claims[0]?.delivery.id ?? ''
    await store.record([
      { delivery, at: now, event: { event: 'intend', node: 'a', line: 'gsm0', part: 0, concatenation: 1 } },
    ])
    await store.record([{ delivery, at: now, event: { event: 'accepted', reference: 1 } }])
    await store.depth()
  }
  const used = process.cpuUsage(cpu)
  return {
    wallMs: rounded((performance.now() - start) / count),
    cpuMs: rounded((used.user + used.system) / 1_000 / count),
  }
}

async function fill(store: Store, target: number): Promise<void> {
  let { queued } = await store.depth()
  while (queued < target) {
    const batch = Array.from({ length: Math.min(200, target - queued) }, () => make())
    await Promise.all([store.accept(batch.slice(0, 100)), store.accept(batch.slice(100))])
    queued += batch.length
  }
}

async function run(): Promise<void> {
  print('disk', { fsyncMs: fsyncs() })
  const small = join(directory, 'small')
  let store = await openStore({ directory: small, node: 'a' })
  print('resident memory, opened', { megabytes: resident() })
  await lives(store)
  await recordRoundTrip(store)
  for (const callers of [1, 4, 16]) await livesTogether(store, callers)
  await store.close()

  store = await openStore({ directory: join(directory, 'large'), node: 'a' })
  await acceptRate(store)
  await store.close()
  await replicate()

  store = await openStore({ directory: join(directory, 'million'), node: 'a' })
  await fill(store, 3_000)
  await deliveryCost(store)
  const few = await deliveryCost(store)
  const start = performance.now()
  await fill(store, Number(process.env['QUEUED'] ?? 1_000_000))
  print('filled', { seconds: rounded((performance.now() - start) / 1_000), megabytes: resident() })
  await deliveryCost(store)
  const many = await deliveryCost(store)
  print('one delivery with 1,000 and 1,000,000 queued', {
    few,
    many,
    ratio: rounded(many.wallMs / few.wallMs),
  })
  await claimBehindWindow(store)
  await store.close()
  // In a process of its own, without what the filling left on the heap.
  spawnSync(process.execPath, [...process.execArgv, import.meta.filename, '--reopen', directory], {
    stdio: 'inherit',
  })
}

/** A dispatcher's whole window is claimed; what does the next one cost? */
async function claimBehindWindow(store: Store): Promise<void> {
  const now = Date.now()
  await store.claim({ limit: 10_000, now, until: now, term })
  const times: number[] = []
  for (let n = 0; n < 100; n++) {
    const start = performance.now()
    await store.claim({ limit: 1, now, until: now, term })
    times.push(performance.now() - start)
  }
  print('claim of one behind 10,000 claimed', { ms: percentiles(times) })
}

async function reopen(): Promise<void> {
  const start = performance.now()
  const store = await openStore({ directory: join(directory, 'million'), node: 'a' })
  const opened = performance.now()
  await store.depth()
  const counted = performance.now()
  await deliveryCost(store)
  print('reopened, 1,000,000 queued', {
    openMs: rounded(opened - start),
    firstDepthMs: rounded(counted - opened),
    residentMegabytes: resident(),
  })
  await store.close()
}

if (again) {
  await reopen()
} else {
  try {
    await run()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
