/** Contacts from a directory in a real browser, with a real slapd: what a run took and refused, one more now, and a directory that is away. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { admin, adminPassword, type Slapd, startSlapd, suffix } from '../intake/ldap/slapd.ts'
import { describeWith } from '../requirements.ts'
import { openBrowser, openPanel, type PanelRig, setUp, startRig } from './browser.ts'

// Real processes and a browser, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 60_000 })

describeWith(['chromium', 'slapd'], 'the panel, contacts from a directory', () => {
  let browser: Browser
  let slapd: Slapd
  let rig: PanelRig

  beforeAll(async () => {
    ;[browser, slapd] = await Promise.all([openBrowser(), startSlapd()])
    await slapd.add('ann', '+49170111')
    await slapd.add('bob', 'on request')
    const login = `bind: "${admin}", password: ${adminPassword}`
    const more = `ldap: { url: "${slapd.url}", ${login}, base: "${suffix}" }\n`
    rig = await startRig({ modems: [{}], more })
    await setUp(rig.box)
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await rig.stop()
    await slapd.end()
  })

  it('shows what was taken and what was not and why, asks now, and says when nobody answers', async () => {
    const { page, faults, close } = await openPanel(browser, rig.box.address, '/people')
    await page.getByRole('link', { name: 'Directory', exact: true }).click()
    const fact = (name: string) =>
      page.locator('dt', { hasText: name }).locator('xpath=following-sibling::dd[1]')
    await expect.poll(() => fact('Server').textContent()).toContain('reachable')
    await expect.poll(() => fact('Of them').textContent()).toBe('1 new, 0 changed, 0 removed')
    const refusals = page.getByRole('row', { name: /uid=bob/ })
    await refusals.getByText('"on request" is no number', { exact: false }).waitFor()
    await refusals.getByText('has neither sms, fax nor mail', { exact: false }).waitFor()
    expect(await page.content()).not.toContain(adminPassword)

    await slapd.add('eve', '+49170333')
    await slapd.remove('ann')
    await page.getByRole('button', { name: 'Ask now' }).click()
    await expect.poll(() => fact('Of them').textContent()).toBe('1 new, 0 changed, 1 removed')
    const { body } = await rig.box.call('GET', '/api/v1/contacts')
    expect(body['items']).toMatchObject([{ id: 'eve', sms: '+49170333', source: 'ldap' }])

    await slapd.stop()
    await page.getByRole('button', { name: 'Ask now' }).click()
    await page.getByText('The directory cannot be reached').waitFor()
    await page.getByText('What was imported before stays').waitFor()
    await page.getByRole('link', { name: 'Contacts', exact: true }).click()
    await page.getByText('1 contact is kept up to date from a directory', { exact: false }).waitFor()
    expect(faults).toEqual([])
    await close()
  })
})
