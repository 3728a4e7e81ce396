/**
 * Finding a modem in the panel and making it a line, in a real browser against a real appliance. The search is the real
 * one on a real pty with a simulated modem behind it; it runs in this process, because no list of the operating system
 * holds a pty, and its answer is put in the place of the appliance's. Everything after it is the appliance.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type FoundPort, searchModems } from '#dispatch/modem-search.ts'
import { SimulatedModem } from '#simulator/modem.ts'
import { SimulatedNetwork } from '#simulator/network.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { type Served, servePty } from '#simulator/serve.ts'
import { describeWith } from '../requirements.ts'
import { type RunningAppliance, startAppliance, until } from '../system/appliance.ts'
import { openBrowser, openPanel, password, setUp, setupCode } from './browser.ts'

const search = '**/api/v1/modems/search**'
const profiles = join(import.meta.dirname, '..', '..', 'firmware-config', 'modems')

/** The same after the appliance has started anew: the browser knows no other. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

describeWith(['chromium'], 'modems that are no line yet', () => {
  let browser: Browser
  let box: RunningAppliance
  let directory: string
  let modem: SimulatedModem
  let served: Served
  let device: string

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'find-'))
    device = join(directory, 'usb-Simulated-if00')
    const options = parseModemOptions(
      { imei: '860000000000025', pin: '1234', network: '10', signal: '20' },
      1,
    )
    if (isProblem(options)) throw new Error(options.problem)
    modem = new SimulatedModem(options, undefined, new SimulatedNetwork(), 'line1')
    const port = await freePort()
    ;[browser, box, served] = await Promise.all([
      openBrowser(),
      startAppliance({
        directory: join(directory, 'box'),
        ports: ['sim://gsm'],
        listen: `127.0.0.1:${port}`,
      }),
      servePty(modem, device),
    ])
  }, 60_000)
  afterEach(async () => {
    await browser.close()
    await box.kill('SIGTERM')
    await served.stop()
    modem.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** What the appliance would find if ptys were in the list of its ports, and what stands beside it in the list. */
  async function standIn(page: Page, beside: readonly FoundPort[] = []): Promise<void> {
    await page.route(search, async (route) => {
      expect(route.request().method()).toBe('POST')
      const items = await searchModems({ lines: [], profiles, places: [{ device, name: device }] })
      await route.fulfill({ json: { node: 'box-a', items: [...items, ...beside] } })
    })
  }

  it('are found in the first run, become a line on trial, and are kept', { timeout: 90_000 }, async () => {
    const { page, faults, close } = await openPanel(browser, box.address, '/', { user: null })
    await standIn(page)
    await page.getByLabel('Setup code').fill(setupCode(box))
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByLabel('Password again').fill(password)
    await page.getByRole('button', { name: 'Set up and log in' }).click()

    await page.getByRole('button', { name: 'Find modems' }).click()
    await page.getByText('One modem can be used.').waitFor()
    const found = page.getByRole('region', { name: 'Find modems' })
    for (const text of ['−73 dBm', 'PIN wanted', '860000000000025', 'Can be used'])
      await found.getByText(text).first().waitFor()
    await found.getByRole('button', { name: /^Use this modem: / }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.getByLabel('Name of the line').inputValue()).toBe('gsm1')
    await dialog.getByLabel('Name of the line').fill('gsm0')
    await dialog.getByRole('button', { name: 'Add the line and start anew' }).click()
    await dialog.getByText('There is a line gsm0 already.').waitFor()
    await dialog.getByLabel('Name of the line').fill('cellar')
    await dialog.getByLabel('PIN of the SIM').fill('1234')
    await dialog.getByRole('button', { name: 'Add the line and start anew' }).click()

    const on = page.getByRole('button', { name: 'Go on' })
    await page.getByRole('button', { name: 'Keep it' }).waitFor()
    expect(await on.isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Keep it' }).click()
    await expect.poll(() => on.isDisabled()).toBe(false)
    await page.getByRole('button', { name: 'Send a test over cellar' }).waitFor()
    await box.ready(2)
    const kept = async () => !('trial' in (await box.call('GET', '/api/v1/own-configuration')).body)
    await until(kept, 'the change is kept')
    const file = readFileSync(join(directory, 'box', 'twinline.yaml'), 'utf8')
    expect(file).toContain(`serial://${device}`)
    expect(file).toContain('860000000000025')
    expect(faults.filter((fault) => !/ERR_CONNECTION|EventSource|503/.test(fault))).toEqual([])
    await close()
  })

  it('where nothing can be used the page says what to do, on a phone and in German, too', {
    timeout: 60_000,
  }, async () => {
    await setUp(box)
    const look = { viewport: { width: 360, height: 760 }, locale: 'de-DE', reducedMotion: 'reduce' } as const
    const { page, close } = await openPanel(browser, box.address, '/lines', look)
    // What it finds by itself is up to the machine that this runs on.
    const own = await box.call('POST', '/api/v1/modems/search', {})
    expect(own).toMatchObject({ status: 200, body: { node: 'box-a', items: expect.any(Array) } })
    await page.route(search, (route) => route.fulfill({ json: { node: 'box-a', items: [] } }))
    await page.getByRole('button', { name: 'Modems suchen' }).click()
    await page.getByText('Kein Modem gefunden, das nicht schon eine Leitung ist').waitFor()
    await page.getByText('systemctl disable --now ModemManager', { exact: false }).waitFor()

    await standIn(page, [
      {
        device: '/dev/ttyUSB8',
        name: '/dev/serial/by-id/usb-Some_Maker_of_Long_Names_0123456789abcdef-if03-port0',
        result: 'denied',
        why: 'Permission denied',
      },
      { device: '/dev/ttyS0', name: '/dev/ttyS0', result: 'silent' },
    ])
    await page.getByRole('button', { name: 'Noch einmal suchen' }).click()
    await page.getByText('Ein Modem ist verwendbar.').waitFor()
    await page.getByText('Gruppe dialout', { exact: false }).first().waitFor()
    expect(await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')).toBe(0)
    await page.evaluate(axe.source)
    const wrong = await page.evaluate<string[]>(
      `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].target))`,
    )
    expect(wrong).toEqual([])
    await close()
  })
})
