/** What an operator does every day, in a real browser against a real appliance: set up, log in, send, look at lines. */
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { openBrowser, openPanel, type PanelRig, password, setUp, setupCode, startRig } from './browser.ts'

// Several steps a test, each with its own deadline.
vi.setConfig({ testTimeout: 60_000 })

let browser: Browser
let rig: PanelRig

const start = async (): Promise<void> => {
  rig = await startRig({ modems: [{ signal: '22', operator: 'Example Mobile' }, {}] })
  await rig.box.ready(2)
}

describeWith(['chromium'], 'the first run of an appliance', () => {
  // It can be done only once, so that each try has an appliance of its own.
  beforeEach(async () => {
    ;[browser] = await Promise.all([openBrowser(), start()])
  }, 60_000)

  afterEach(async () => {
    await browser.close()
    await rig.stop()
  })

  it('leads through the first run: code, administrator, lines, a test message, pair now or later', async () => {
    const view = await openPanel(browser, rig.box.address, '/', { user: null })
    const { page } = view
    expect(new URL(page.url()).pathname).toBe('/setup')
    await page.getByLabel('Setup code').fill('AAAA-AAAA')
    await page.getByLabel('Password', { exact: true }).fill('short')
    await page.getByLabel('Password again').fill('short')
    await page.getByRole('button', { name: 'Set up and log in' }).click()
    await page.getByText('Use at least 10 characters.').waitFor()
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByLabel('Password again').fill(`${password}!`)
    await page.getByRole('button', { name: 'Set up and log in' }).click()
    await page.getByText('The two passwords differ.').waitFor()
    await page.getByLabel('Password again').fill(password)
    await page.getByRole('button', { name: 'Set up and log in' }).click()
    // The appliance's own refusal, beside the field that it names.
    await expect.poll(() => page.getByLabel('Setup code').getAttribute('aria-invalid')).toBe('true')
    await page.getByLabel('Setup code').fill(setupCode(rig.box))
    await page.getByLabel('Name of this appliance').fill('Berlin, cellar')
    await page.getByRole('button', { name: 'Set up and log in' }).click()

    await page.getByRole('button', { name: 'Send a test over gsm0' }).waitFor()
    await page.getByText('Example Mobile').waitFor()
    await page.getByText('−69 dBm').waitFor()
    await page.getByRole('button', { name: 'Send a test over gsm0' }).click()
    await page.getByLabel('To', { exact: true }).fill('+49 170 5550001')
    await page.getByRole('dialog').getByRole('button', { name: 'Test', exact: true }).click()
    await until(() => rig.sent().includes('+491705550001: Test of line gsm0'), 'the test message')
    await page.getByRole('dialog').getByText('AT+CMGS', { exact: false }).first().waitFor()
    await page.getByRole('dialog').getByText('Delivered', { exact: true }).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()

    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('link', { name: 'Pair now' }).waitFor()
    await page.getByRole('link', { name: 'Later, to the home page' }).click()
    await page.getByText('Am I active?').waitFor()
    await page.locator('.plate').getByText('Berlin, cellar').waitFor()
    await page.locator('.plate').getByText('127.0.0.1').waitFor()
    expect(view.faults).toEqual([])
    await view.close()
  })
})

describeWith(['chromium'], 'the panel, every day', () => {
  beforeAll(async () => {
    ;[browser] = await Promise.all([openBrowser(), start()])
    await setUp(rig.box)
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  it('lets nobody in without the password, and goes where one wanted to go', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/lines', { user: null })
    expect(new URL(page.url()).pathname).toBe('/login')
    await page.getByLabel('User name').fill('admin')
    await page.getByLabel('Password', { exact: true }).fill('not the password')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.locator('.notice-bad, .field-error').first().waitFor()
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Lines', level: 1 }).waitFor()
    await page.getByRole('button', { name: 'Your settings' }).click()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    await close()
  })

  it('sends a message, refuses a bad recipient beside its field, and shows what happened to it', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/queue')
    await page.getByRole('link', { name: 'Send a message' }).click()
    await page.getByRole('heading', { name: 'Send a message' }).waitFor()
    await page.getByLabel('Recipient', { exact: true }).fill('nobody at all')
    await page.getByRole('textbox', { name: 'Text' }).fill('Pump 3 has stopped')
    await page.getByRole('button', { name: 'Send to 1 recipient' }).click()
    await page.locator('.field-wrong').getByText('nobody at all').waitFor()
    await page.getByLabel('Recipient', { exact: true }).fill('+49 170 5550002\n+491705550003')
    await page.getByRole('button', { name: 'Send to 2 recipients' }).click()
    await page.getByRole('heading', { name: 'Message' }).waitFor()
    await page.locator('.timeline').getByText('Reported as delivered').waitFor()
    await page.locator('.timeline').getByText('gsm', { exact: false }).first().waitFor()
    await until(
      () => rig.sent().filter((text) => text.endsWith('Pump 3 has stopped')).length === 2,
      'both SMS',
    )
    await close()
  })

  it('keeps what was typed when the session ends: the login lies over the page', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/queue/new')
    await page.getByLabel('Recipient', { exact: true }).fill('+49 170 5550009')
    await page.getByRole('textbox', { name: 'Text' }).fill('Typed at 3 a.m.')
    // As when it was ended in another tab, or by a new password. The page hears of it.
    const end = () => page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }).then(({ ok }) => ok))
    expect(await end()).toBe(true)
    const dialog = page.getByRole('dialog', { name: 'Log in again' })
    await expect.poll(() => dialog.getByLabel('User name').inputValue()).toBe('admin')
    await dialog.getByLabel('Password', { exact: true }).fill(password)
    await dialog.getByRole('button', { name: 'Log in' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(await page.getByRole('textbox', { name: 'Text' }).inputValue()).toBe('Typed at 3 a.m.')
    await page.getByRole('button', { name: 'Send to 1 recipient' }).click()
    await page.getByRole('heading', { name: 'Message' }).waitFor()
    expect(await end()).toBe(true)
    await dialog.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('heading', { name: 'Log in', level: 1 }).waitFor()
    await close()
  })

  it('hands a document in with its fax, and says why it was not taken', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/queue/new')
    await page.getByLabel('Recipient', { exact: true }).fill('+49305550001')
    await page.getByLabel('Channel').selectOption('fax')
    await page.getByRole('button', { name: 'Send to 1 recipient' }).click()
    await page.getByText('Choose a document, or type a text that is to be faxed.').waitFor()
    const buffer = Buffer.from('Pump 3 has stopped\n')
    await page.getByLabel('Document').setInputFiles({ name: 'alarm.txt', mimeType: 'text/plain', buffer })
    const [request] = await Promise.all([
      page.waitForRequest((one) => one.method() === 'POST' && one.url().endsWith('/api/v1/messages')),
      page.getByRole('button', { name: 'Send to 1 recipient' }).click(),
    ])
    expect(request.headers()['content-type']).toContain('multipart/form-data')
    // This appliance has no fax line; that the form was understood is what it says by naming that.
    await page.getByText('No line of this appliance serves that.').waitFor()
    await close()
  })

  it('shows a line that loses its signal or is switched off, without being asked', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/lines')
    const card = page.locator('.card', { has: page.getByRole('heading', { name: 'gsm1', exact: true }) })
    await card.getByText('Ready', { exact: true }).first().waitFor()
    await rig.box.call('POST', '/api/v1/lines/gsm1/disable')
    await card.getByText('Switched off', { exact: true }).waitFor()
    await card.getByRole('button', { name: 'Switch on gsm1' }).click()
    await card.getByText('Ready', { exact: true }).first().waitFor()

    await card.getByRole('button', { name: 'Mute gsm1' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Mute' }).click()
    await card.getByText('Muted', { exact: true }).waitFor()
    await card.getByRole('button', { name: 'End muting of gsm1' }).click()
    await card.getByText('Ready', { exact: true }).first().waitFor()

    await card.getByRole('button', { name: 'Restart gsm1' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('It sends nothing for some seconds', { exact: false }).waitFor()
    await dialog.getByRole('button', { name: 'Leave as it is' }).click()
    expect(await dialog.count()).toBe(0)
    await close()
  })

  it('can be used by keyboard alone: to the menu, a page, a dialog and back', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/')
    const focused = () => page.evaluate<string>("document.activeElement?.textContent?.trim() ?? ''")
    const tabTo = async (text: string): Promise<void> => {
      for (let n = 0; n < 60; n += 1) {
        if ((await focused()) === text) return
        await page.keyboard.press('Tab')
      }
      throw new Error(`the keyboard does not get to ${text}`)
    }
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the content')
    await tabTo('Lines')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Lines', level: 1 }).waitFor()
    // A page that a link led to gives the focus to its title.
    await expect.poll(() => page.evaluate('document.activeElement?.tagName')).toBe('H1')
    await tabTo('Restart')
    // What has the focus can be seen to have it.
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineWidth')
    expect(outline).toBe('3px')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(focused).toBe('Restart')
    await close()
  })

  it('says so when the appliance is gone, and goes on when it is back', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/')
    await page.getByText('Are my lines well?').waitFor()
    await page.context().setOffline(true)
    await page.getByRole('alert').getByText('No connection since', { exact: false }).waitFor()
    // A page whose code was never asked for cannot come now, and comes as soon as it can.
    await page.getByRole('link', { name: 'Totals' }).click()
    await page.getByText('The page loads by itself', { exact: false }).waitFor()
    await page.context().setOffline(false)
    await page.getByRole('heading', { name: 'Totals', level: 1 }).waitFor()
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await close()
  })

  it('speaks German to whom German is spoken, and remembers what was chosen', async () => {
    const erika = { name: 'erika', password, role: 'operator', language: 'de' }
    expect((await rig.box.call('POST', '/api/v1/users', erika)).status).toBeLessThan(300)
    const { page, close } = await openPanel(browser, rig.box.address, '/', { user: 'erika' })
    await page.getByText('Leitungen in Ordnung?').waitFor()
    await page.getByRole('button', { name: 'Ihre Einstellungen' }).click()
    await page.getByLabel('Sprache').selectOption('en')
    await page.getByText('Are my lines well?').waitFor()
    await page.getByLabel('Dark').check()
    await page.reload()
    await page.getByText('Are my lines well?').waitFor()
    expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('dark')
    await close()

    const stranger = await openPanel(browser, rig.box.address, '/', { user: null, locale: 'de-DE' })
    await stranger.page.getByRole('heading', { name: 'Anmelden' }).waitFor()
    await stranger.close()
  })

  it('offers contacts with the number for what is sent, and a long name stays within a phone', async () => {
    const name = 'Donaudampfschifffahrtsgesellschaft'.repeat(2)
    await rig.box.call('PUT', '/api/v1/contacts/both', { name, sms: '+491705550201', fax: '+49305550201' })
    await rig.box.call('PUT', '/api/v1/contacts/paper', { name: 'Paper', fax: '+49305550202' })
    const { page, close } = await openPanel(browser, rig.box.address, '/queue/new', {
      viewport: { width: 360, height: 760 },
    })
    await page.getByText('+491705550201').waitFor()
    expect(await page.getByText('Paper').count()).toBe(0)
    await page.getByLabel('Channel').selectOption('fax')
    await page.getByText('+49305550202').waitFor()
    await page.getByText('+49305550201').click()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    await close()
  })

  it('says which lines a message waits for, why and until when, and that it waits no more', async () => {
    for (const line of ['gsm0', 'gsm1'])
      await rig.box.call('POST', `/api/v1/lines/${line}/mute`, { for: '2h' })
    const { body } = await rig.box.call('POST', '/api/v1/messages', { to: ['+491705550401'], text: 'Mute' })
    const { page, close } = await openPanel(browser, rig.box.address, `/queue/${String(body['id'])}`)
    await page.getByText(/^gsm0 · Muted by a person\. Until .*\d\d:\d\d:\d\d \(\S+\)\.$/).waitFor()
    await page.getByText('gsm1 · Muted by a person', { exact: false }).waitFor()
    await rig.box.call('POST', '/api/v1/lines/gsm1/disable')
    await page.getByText('gsm1 · Switched off by a person.').waitFor()
    await rig.box.call('POST', '/api/v1/lines/gsm1/enable')
    for (const line of ['gsm0', 'gsm1']) await rig.box.call('POST', `/api/v1/lines/${line}/unmute`)
    await page.getByText('Waits for').waitFor({ state: 'detached' })
    await until(() => rig.sent().includes('+491705550401: Mute'), 'it is sent')
    await close()
  })

  it('shows the whole number of the first of several recipients on a phone', async () => {
    const to = ['+491705550301', '+491705550302', '+491705550303']
    await rig.box.call('POST', '/api/v1/messages', { to, text: 'To three of them' })
    const { page, close } = await openPanel(browser, rig.box.address, '/queue', {
      viewport: { width: 320, height: 760 },
    })
    const row = page.getByRole('row', { name: 'To three of them' })
    await row.getByText('& 2 more').first().waitFor()
    const cut = await page.evaluate<string[]>(
      `[...document.querySelectorAll('tbody tr:not(.table-gap), .table .cell-name, .table .two > span')]
        .filter((each) => each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight)
        .map((each) => each.textContent)`,
    )
    expect(cut).toEqual([])
    await close()
  })

  it('calls a received fax that broke off cut off, and not so many parts of so many', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/')
    const [id, at] = ['01a2000e-e331-769d-8d94-065d8eead3bf', '2026-11-21T21:41:45.393Z']
    const item = {
      ...{ id, at, sentAt: at, node: 'solo', line: 'fax0', from: '+49305550301', text: '', complete: false },
      ...{ parts: { total: 2, received: 2 }, revision: 0, kind: 'fax' },
      fax: { pages: 2, hash: 'a'.repeat(64), bytes: 1, problem: 'the line was dropped on page 2' },
    }
    await page.route('**/api/v1/inbox?*', (route) => route.fulfill({ json: { items: [item] } }))
    await page.getByRole('link', { name: 'Inbox', exact: true }).first().click()
    await page.getByText('Cut off').waitFor()
    await page.getByRole('button', { name: 'Fax of 2 pages' }).click()
    const link = page.getByRole('dialog').getByRole('link', { name: 'also as TIFF' })
    expect(await link.getAttribute('href')).toBe(`/api/v1/inbox/${id}/document?type=tiff`)
    await close()
  })

  it('leads nobody but an administrator through the steps of the first run', async () => {
    await rig.box.call('POST', '/api/v1/users', { name: 'olga', role: 'operator', password })
    const { page, close } = await openPanel(browser, rig.box.address, '/setup', { user: 'olga' })
    await page.getByRole('heading', { name: 'Home', level: 1 }).waitFor()
    await close()
  })
})
