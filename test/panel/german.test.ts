/**
 * The panel in German on a phone, where what the appliance says by codes and sentences is German as well: reasons of
 * lines, refusals, the audit log. Their words come when they are first needed. And the time in the header has its zone.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import { openBrowser, openPanel, type PanelRig, password, setUp, startRig, type View } from './browser.ts'

describeWith(['chromium'], 'the panel in German', () => {
  let browser: Browser
  let rig: PanelRig
  let view: View

  beforeAll(async () => {
    ;[browser, rig] = await Promise.all([openBrowser(), startRig({ modems: [{ pin: '4711' }] })])
    await setUp(rig.box)
    const erika = { name: 'erika', password, role: 'admin', language: 'de' }
    await rig.box.call('POST', '/api/v1/users', erika)
    view = await openPanel(browser, rig.box.address, '/', {
      user: 'erika',
      viewport: { width: 360, height: 740 },
    })
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  const shows = (text: string | RegExp) => view.page.getByText(text).first().waitFor()
  const open = (path: string) => view.page.goto(rig.box.address + path)

  it('says the time and its zone in the header of a phone', async () => {
    await open('/')
    const clock = view.page.locator('header .live')
    await clock.waitFor()
    expect(await clock.textContent()).toMatch(/^\d\d:\d\d:\d\d[A-Z]/)
    expect(await view.page.locator('header .live-zone').isVisible()).toBe(true)
  })

  it('says why a line is not ready', async () => {
    await open('/lines')
    await shows('Die SIM-Karte will ihre PIN')
  })

  it('says what was refused, by its code', async () => {
    await open('/people/users')
    await view.page.getByRole('button', { name: 'Neuer Benutzer' }).first().click()
    await view.page.getByLabel('Name', { exact: true }).fill('admin')
    await view.page.locator('dialog input[type=password]').first().fill('long enough for it')
    await view.page.locator('dialog button[type=submit]').click()
    await shows(/Es gibt schon einen Benutzer dieses Namens/)
  })

  it('tells the audit log in words', async () => {
    await open('/records')
    await shows(/erika meldete sich von .* an/)
    await shows('Benutzer angelegt')
  })

  it('names the member at each entry of a timeline', async () => {
    const { body } = await rig.box.call('POST', '/api/v1/messages', { to: ['+491705550001'], text: 'x' })
    await rig.box.call('DELETE', `/api/v1/messages/${body['id']}`)
    await open(`/queue/${body['id']}`)
    await shows('Von einer Person abgebrochen.')
    const titles = await view.page.locator('.timeline-title').allInnerTexts()
    expect(titles).toHaveLength(2)
    for (const title of titles) expect(title).toContain('Berlin, cellar')
  })

  it('has found no fault meanwhile', () => {
    expect(view.faults).toEqual([])
  })
})
