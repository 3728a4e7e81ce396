/**
 * More pages in one browser than it makes connections to one address (six, of HTTP/1.1): those that nobody looks at hold
 * none, and show the newest as soon as somebody does.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import { openBrowser, type PanelRig, password, setUp, startRig } from './browser.ts'

/** Without a window every page counts as seen; these are until told otherwise by the events `seen` and `unseen`. */
const unseenAtFirst = `{
  let state = 'hidden'
  Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state })
  const become = (next) => () => {
    state = next
    document.dispatchEvent(new Event('visibilitychange'))
  }
  window.addEventListener('seen', become('visible'))
  window.addEventListener('unseen', become('hidden'))
}`
const PAGES = 8

describeWith(['chromium'], 'many pages in one browser', () => {
  let browser: Browser
  let rig: PanelRig
  let context: BrowserContext
  const pages: Page[] = []

  beforeAll(async () => {
    ;[browser, rig] = await Promise.all([openBrowser(), startRig()])
    await rig.box.ready(1)
    await setUp(rig.box)
    context = await browser.newContext()
    context.setDefaultTimeout(15_000)
    await context.addInitScript(unseenAtFirst)
    const data = { name: 'admin', password }
    expect((await context.request.post(`${rig.box.address}/api/v1/session`, { data })).ok()).toBe(true)
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  const become = (page: Page, state: 'seen' | 'unseen') =>
    page.evaluate(`dispatchEvent(new Event('${state}'))`)
  const heard = (page: Page) => page.waitForResponse((response) => response.url().endsWith('/api/v1/events'))
  const silent = (page: Page) =>
    page.waitForEvent('requestfailed', (request) => request.url().endsWith('/api/v1/events'))

  it('all load', async () => {
    for (let n = 0; n < PAGES; n += 1) {
      const page = await context.newPage()
      pages.push(page)
      await page.goto(`${rig.box.address}/lines`)
      await page.getByRole('heading', { name: 'gsm0' }).waitFor()
    }
    expect(pages).toHaveLength(PAGES)
  }, 120_000)

  it('the one that is looked at shows what has happened and what happens, and lets go again', async () => {
    const [page] = pages
    if (page === undefined) throw new Error('no page was opened')
    await rig.box.call('POST', '/api/v1/lines/gsm0/mute', { for: '1h' })
    const listening = heard(page)
    await become(page, 'seen')
    await listening
    await page.getByText('Muted').first().waitFor()
    await rig.box.call('POST', '/api/v1/lines/gsm0/unmute')
    await page.getByText('Muted').first().waitFor({ state: 'detached' })
    const ended = silent(page)
    await become(page, 'unseen')
    await ended
  }, 60_000)
})
