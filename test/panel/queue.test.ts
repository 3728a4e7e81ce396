/** A queue of 100,000 messages in a real browser: filled directly, looked through as a person would. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import { openBrowser, openPanel, type PanelRig, setUp, startRig } from './browser.ts'
import { COUNT, fill } from './long-queue.ts'

describeWith(['chromium'], 'a queue of 100,000 in the panel', () => {
  let browser: Browser
  let rig: PanelRig

  beforeAll(async () => {
    ;[browser, rig] = await Promise.all([openBrowser(), startRig({ before: fill })])
    await rig.box.ready(1)
    await setUp(rig.box)
  }, 120_000)

  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  it('is scrolled through by pages of the appliance, with few rows in the page at any time', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/queue')
    await page.getByRole('button', { name: 'Waiting 99,900' }).waitFor()
    await page.getByRole('link', { name: `Cold store ${COUNT - 1}: door open` }).waitFor()
    const height = () => page.evaluate<number>('document.documentElement.scrollHeight')
    for (let turn = 0; turn < 25; turn += 1) {
      const before = await height()
      await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)')
      await expect.poll(height, { timeout: 8_000 }).toBeGreaterThan(before)
      expect(await page.locator('tbody tr').count()).toBeLessThan(80)
    }
    // Pages that were let go of meanwhile are asked for again on the way back.
    await page.evaluate('window.scrollTo(0, 0)')
    await page.getByRole('link', { name: `Cold store ${COUNT - 1}: door open` }).waitFor()
    await close()
  })

  it('is searched and filtered by the appliance, and the address says how', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/queue')
    await page.getByRole('button', { name: 'Failed' }).click()
    await page.getByRole('link', { name: 'Cold store 99000: door open' }).waitFor()
    expect(new URL(page.url()).searchParams.get('state')).toBe('failed')
    await page.getByLabel('Search in the text').fill('store 42000')
    await page.getByRole('link', { name: 'Cold store 99000: door open' }).waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Cold store 42000: door open' }).waitFor()
    expect(await page.locator('tbody tr:not(.table-gap)').count()).toBe(1)
    await page.getByRole('link', { name: 'Cold store 42000: door open' }).click()
    await page.locator('.timeline').getByText('Failed', { exact: true }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: 'Cold store 42000: door open' }).waitFor()
    await close()
  })

  it('cancels many at once, after asking back, and tells what became of it', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/queue?state=queued&search=store+7777')
    const row = (n: number) => page.locator('tbody tr', { hasText: `Cold store ${n}:` })
    for (const n of [7777, 77770, 77771]) await row(n).getByRole('checkbox').check()
    await page.getByText('3 chosen', { exact: false }).waitFor()
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Cancel 3 messages?').waitFor()
    await dialog.getByRole('button', { name: /^Cancel (the|\d+) message/ }).click()
    await page.getByText('3 messages cancelled').waitFor()
    await row(7777).waitFor({ state: 'detached' })
    const { body } = await rig.box.call('GET', '/api/v1/messages?state=cancelled&limit=10')
    expect(body['items']).toHaveLength(3)
    await close()
  })

  it('forgets what was chosen when the filter shows something else', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/queue?state=failed')
    await page.getByRole('button', { name: 'Choose all loaded' }).click()
    await page.getByText('100 chosen', { exact: false }).waitFor()
    await page.getByRole('button', { name: 'Failed' }).click()
    await page.getByText('Choose messages to act on many at once.').waitFor()
    await close()
  })

  it('shows a message that is accepted meanwhile, and what becomes of it', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/queue')
    await page.getByRole('link', { name: `Cold store ${COUNT - 1}: door open` }).waitFor()
    await rig.box.call('POST', '/api/v1/messages', { to: ['+491705550009'], text: 'Pump 3 has stopped' })
    const row = page.locator('tbody tr', { hasText: 'Pump 3 has stopped' })
    await row.getByText('Delivered', { exact: true }).waitFor()
    await close()
  })
})
