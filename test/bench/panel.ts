/**
 * The figures of the panel, one JSON line each: Debian's Chromium against a real appliance over loopback.
 *
 *   node test/bench/panel.ts [--only open,pair,first,scroll] [--times 10] [--directory DIR]
 *
 * open: the whole load of every page by an administrator of an appliance with 100,000 messages queued, from the start of
 * the navigation until what belongs on the page is drawn and nothing more is waited for; `cold` with nothing in the
 * browser's cache, `again` as everybody comes who was here before. pair: the same at the active member of a pair, of the
 * pages that show more there. first: bytes of the files that a first visit to the
 * login and to the front page loads in either language, compressed as they travel. scroll: five seconds through the
 * queue, a row a frame, and what the slowest frame took.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Browser, CDPSession, Page } from 'playwright-core'
import {
  openBrowser,
  openPanel,
  type PanelRig,
  password,
  setUp,
  startRig,
  type View,
} from '../panel/browser.ts'
import { COUNT, fill } from '../panel/long-queue.ts'
import { joined, startPair } from '../panel/pair-rig.ts'
import { machine, printRow, quantiles, type Row } from './measure.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    times: { type: 'string', default: '10' },
    directory: { type: 'string', default: '.' },
  },
})
const times = Number(values.times)
const under = { queued: COUNT, browser: 'Chromium, headless' }

const routes = readFileSync(
  join(import.meta.dirname, '..', '..', 'src', 'panel', 'shell', 'routes.ts'),
  'utf8',
)
const pages = [...routes.matchAll(/path: '([^']+)'/g)]
  .map(([, path]) => path ?? '')
  .filter((path) => path !== '/login' && path !== '/setup')

/**
 * Runs before the page's own code: notes when the page was last seen to become whole. A page is whole with its title and
 * without a place that waits. That is found before a frame is drawn; a message that is sent then arrives when styles,
 * layout and painting of that frame are done and the page takes input.
 */
const watching = `
  globalThis.drawn = undefined
  globalThis.long = 0
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.long = Math.max(globalThis.long, duration)
  }).observe({ type: 'longtask', buffered: true })
  let whole = false
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    if (whole) globalThis.drawn = performance.now()
  }
  const look = () => {
    const before = whole
    whole = document.querySelector('h1') !== null && document.querySelector('.skeleton') === null
    if (!whole) globalThis.drawn = undefined
    else if (!before) port2.postMessage(undefined)
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
`

/** ms from the start of the navigation. What comes within 300 ms after it seems whole is part of it. */
async function opened(page: Page, address: string): Promise<number> {
  await page.goto(address, { waitUntil: 'commit' })
  return page.evaluate<number>(`new Promise((resolve) => {
    const asking = setInterval(() => {
      if (globalThis.drawn === undefined || performance.now() - globalThis.drawn < 300) return
      clearInterval(asking)
      resolve(globalThis.drawn)
    }, 20)
  })`)
}

/** Opens each page again and again. @param where of which appliance, as words */
async function openAll(
  { page, session, print }: Pick<Bench, 'page' | 'session' | 'print'>,
  addresses: ReadonlyMap<string, string>,
  where: string,
  conditions: Row['under'],
): Promise<void> {
  const slowest = { cold: 0, again: 0 }
  for (const [path, address] of addresses) {
    const cold: number[] = []
    const again: number[] = []
    for (let n = 0; n < times; n += 1) {
      await session.send('Network.clearBrowserCache')
      cold.push(await opened(page, address))
      again.push(await opened(page, address))
    }
    const value = { cold: quantiles(cold).p50, again: quantiles(again).p50 }
    slowest.cold = Math.max(slowest.cold, value.cold)
    slowest.again = Math.max(slowest.again, value.again)
    const figure = `panel${where} opens ${path}`
    print({ figure, value, unit: 'ms, median', under: conditions, reach: '≤ 100' })
  }
  const figure = `panel${where} opens, the slowest page`
  print({ figure, value: slowest, unit: 'ms', under: conditions, reach: '≤ 100' })
}

async function open(bench: Bench): Promise<void> {
  const { body } = await bench.rig.box.call('GET', '/api/v1/messages?limit=1')
  const items: unknown = body['items']
  const id: unknown = Array.isArray(items) ? items[0]?.id : undefined
  const addresses = pages.map(
    (path) => [path, bench.rig.box.address + path.replace(':id', String(id))] as const,
  )
  await openAll(bench, new Map(addresses), '', under)
}

/** What a pair has more to show on. */
const ofPairs = /^\/(|lines|pair.*|configuration\/appliance|records.*)$/

async function pair({ browser, print }: Bench): Promise<void> {
  // No test and no other figure uses this network.
  const rig = await startPair(89)
  try {
    await setUp(rig.a.running())
    await joined(rig)
    const { page, session, close } = await watched(browser, rig.a.address)
    const addresses = pages
      .filter((path) => ofPairs.test(path))
      .map((path) => [path, rig.a.address + path] as const)
    await openAll({ page, session, print }, new Map(addresses), ' of a pair', {
      ...under,
      queued: 0,
      members: 2,
    })
    await close()
  } finally {
    await rig.stop()
  }
}

/** A page of an administrator that notes when it is drawn. */
async function watched(
  browser: Browser,
  address: string,
): Promise<Pick<Bench, 'page' | 'session'> & Pick<View, 'close'>> {
  const { page, close } = await openPanel(browser, address)
  await page.addInitScript(watching)
  return { page, session: await page.context().newCDPSession(page), close }
}

/** Resolves when nothing has come for half a second. @param count grows with whatever comes */
async function quiet(count: () => number): Promise<void> {
  for (let before = -1; before !== count(); ) {
    before = count()
    await pause(500)
  }
}

/** Bytes of the files that a page loads of a browser that was never here: all but what the interface answers. */
async function firstLoad({ browser, rig }: Bench, path: string, locale: string): Promise<number> {
  const context = await browser.newContext({ locale })
  if (path !== '/login')
    await context.request.post(`${rig.box.address}/api/v1/session`, { data: { name: 'admin', password } })
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Network.enable')
  const data = new Set<string>()
  let bytes = 0
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    if (new URL(request.url).pathname.startsWith('/api/')) data.add(requestId)
  })
  session.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
    if (!data.has(requestId)) bytes += encodedDataLength
  })
  await page.goto(rig.box.address + path)
  await page.locator('h1').first().waitFor()
  await quiet(() => bytes)
  // What the interface answers comes as a part of the page where somebody is logged in.
  const answers = await page.evaluate<number>(
    "new Blob([document.getElementById('answers')?.textContent ?? '']).size",
  )
  await context.close()
  return bytes - answers
}

async function first(bench: Bench): Promise<void> {
  for (const path of ['/login', '/'])
    for (const locale of ['en', 'de']) {
      const value = await firstLoad(bench, path, locale)
      bench.print({
        figure: `panel, first load of ${path}`,
        value,
        unit: 'bytes',
        under: { locale },
        reach: '≤ 40,000',
      })
    }
}

async function scroll({ page, rig, print }: Bench): Promise<void> {
  await opened(page, `${rig.box.address}/queue`)
  const frames = await page.evaluate<number[]>(`new Promise((resolve) => {
    const gaps = []
    let last = performance.now()
    const begun = last
    globalThis.long = 0
    const step = (now) => {
      gaps.push(now - last)
      last = now
      window.scrollBy(0, 56)
      if (now - begun < 5000) requestAnimationFrame(step)
      else resolve(gaps.slice(1))
    }
    requestAnimationFrame(step)
  })`)
  const { p50, p99, max } = quantiles(frames)
  const longest = await page.evaluate<number>('globalThis.long')
  const value = { p50, p99, max, 'longest task': longest, rows: frames.length }
  print({ figure: 'panel, scrolling the queue', value, unit: 'ms a frame', under, reach: 'smooth' })
}

interface Bench {
  browser: Browser
  rig: PanelRig
  page: Page
  session: CDPSession
  print(row: Omit<Row, 'subject'>): void
}

const figures = { open, pair, first, scroll }
const only = values.only === '' ? Object.keys(figures) : values.only.split(',')
const unknown = only.filter((name) => !(name in figures))
if (unknown.length > 0)
  throw new Error(`unknown: ${unknown.join(', ')}; known: ${Object.keys(figures).join(', ')}`)

const base = mkdtempSync(join(resolve(values.directory), 'twinline-bench-'))
const on = machine(base)
const [browser, rig] = await Promise.all([openBrowser(), startRig({ before: fill })])
try {
  await rig.box.ready(1)
  await setUp(rig.box)
  const bench: Bench = {
    browser,
    rig,
    ...(await watched(browser, rig.box.address)),
    print: (row) => printRow({ subject: 'twinline', ...row }, on),
  }
  for (const [name, measure] of Object.entries(figures)) if (only.includes(name)) await measure(bench)
} finally {
  await browser.close()
  await rig.stop()
  rmSync(base, { recursive: true, force: true })
}
