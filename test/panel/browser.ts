/**
 * The panel in a real browser: Debian's Chromium, driven by playwright-core, against a real appliance with simulated
 * modems. One browser a file; each page gets a context of its own, as a person with a fresh profile would.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { serveTcp } from '#simulator/serve.ts'
import { type RunningAppliance, startAppliance } from '../system/appliance.ts'

export const password = 'correct horse battery'

/** 127.0.0.1 by a name to which a browser offers no more than to any plain http, as to a box in the network. */
export const plainName = 'box.test'

/** Debian's; started as root it has no sandbox to use. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `--host-resolver-rules=MAP ${plainName} 127.0.0.1`,
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  })

export interface PanelRig {
  box: RunningAppliance
  network: SimulatedNetwork
  modems: readonly SimulatedModem[]
  /** What phones got, as `number: text`. */
  sent(): string[]
  stop(): Promise<void>
}

export interface RigOptions {
  /** Options of each modem, as `twinline simulate` knows them; one modem each. */
  modems?: readonly Record<string, string>[]
  /** More of the configuration, as YAML. */
  more?: string
  /** Prepares the data directory before the start. */
  before?: (directory: string) => Promise<void>
}

export async function startRig({ modems = [{}], more = '', before }: RigOptions = {}): Promise<PanelRig> {
  const directory = mkdtempSync(join(tmpdir(), 'panel-'))
  const network = new SimulatedNetwork()
  const made = modems.map((given, n) => {
    const options = parseModemOptions({ network: '10', prompt: '0', reports: '200', ...given }, n)
    if (isProblem(options)) throw new Error(options.problem)
    return new SimulatedModem(options, undefined, network, `line${n}`)
  })
  const served = await Promise.all(made.map((modem) => serveTcp(modem)))
  await before?.(directory)
  const box = await startAppliance({
    directory,
    ports: served.map(({ address }) => address),
    reports: true,
    more,
  })
  return {
    box,
    network,
    modems: made,
    sent: () => network.received().map(({ to, text }) => `${to}: ${text}`),
    async stop() {
      await box.kill('SIGTERM')
      await Promise.all(served.map((one) => one.stop()))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** The code that the appliance says while nobody is set up. */
export function setupCode(box: RunningAppliance): string {
  const code = /setup code ([A-Z0-9]{4}-[A-Z0-9]{4})/.exec(box.log())?.[1]
  if (code === undefined) throw new Error(`no setup code in the log: ${box.log()}`)
  return code
}

export interface Person {
  role: 'viewer' | 'operator' | 'admin'
  language?: 'en' | 'de'
}

/** The first administrator, by the setup code, and without a browser. */
export async function setUp(box: RunningAppliance, appliance = 'Berlin, cellar'): Promise<void> {
  const { status, body } = await box.call('POST', '/api/v1/setup', {
    code: setupCode(box),
    name: 'admin',
    password,
    appliance,
  })
  if (status >= 300) throw new Error(`setup: ${status} ${JSON.stringify(body)}`)
}

export interface View {
  page: Page
  /** What the page wrote on its console as an error, and what it threw. */
  faults: string[]
  close(): Promise<void>
}

/** A page of somebody who is logged in. @param look language, theme and size */
export async function openPanel(
  browser: Browser,
  address: string,
  path = '/',
  look: BrowserContextOptions & { user?: string | null } = {},
): Promise<View> {
  const { user = 'admin', ...options } = look
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  if (user !== null) {
    const answer = await context.request.post(`${address}/api/v1/session`, { data: { name: user, password } })
    if (!answer.ok()) throw new Error(`login: ${answer.status()} ${await answer.text()}`)
  }
  // Long for a person, and short enough that a test tells what was missing before its own time is over.
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    // A refusal is an answer like any other, which the page shows.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text())
  })
  await page.goto(address + path)
  await page.locator('h1').first().waitFor()
  return { page, faults, close: () => context.close() }
}
