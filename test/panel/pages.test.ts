/**
 * Every page of the panel, in both languages and both themes, on a phone and on a desk: no fault that axe-core finds
 * (WCAG 2.2 A and AA), nothing wider than the screen, nothing on the console. The pages are read from the panel's own
 * list, so that a new one is looked at by itself.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from '../requirements.ts'
import {
  openBrowser,
  openPanel,
  type PanelRig,
  password,
  plainName,
  setUp,
  startRig,
  type View,
} from './browser.ts'

const routes = readFileSync(
  join(import.meta.dirname, '..', '..', 'src', 'panel', 'shell', 'routes.ts'),
  'utf8',
)
/** What each page says that it asks for first, by its path. */
const asks = new Map(
  [...routes.matchAll(/path: '([^']+)',\s+load: [^\n]+import\('[^']+'\),\s+asks: \[([^\]]*)\]/g)].map(
    ([, path, list = '']) => [path, [...list.matchAll(/'([^']+)'/g)].map(([, ask]) => `/api/v1${ask}`)],
  ),
)
/** `/queue/:id` is looked at with a message of its own; `/login` and `/setup` are for whom nobody knows. */
const paths = [...routes.matchAll(/path: '([^']+)'/g)]
  .map(([, path]) => path ?? '')
  .filter((path) => !path.includes(':') && path !== '/login' && path !== '/setup')

const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

interface Finding {
  id: string
  nodes: { target: string[]; failureSummary: string }[]
}

async function findings(page: Page): Promise<string[]> {
  const found = await page.evaluate<Finding[]>(
    `axe.run(document, { runOnly: ${JSON.stringify(standards)}, resultTypes: ['violations'] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ target, failureSummary }) => ({ target, failureSummary })) })))`,
  )
  return found.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  )
}

const sizes = [
  { width: 1280, height: 900 },
  { width: 360, height: 760 },
] as const
/** A colour that is still on its way to another is none that anybody chose. */
const still = { reducedMotion: 'reduce' } as const
const themes = ['light', 'dark'] as const

describeWith(['chromium'], 'every page of the panel', () => {
  let browser: Browser
  let rig: PanelRig
  let message: string
  /** Of an administrator who reads English and of one who reads German; opened once, because logins are counted. */
  const views: View[] = []

  beforeAll(async () => {
    ;[browser, rig] = await Promise.all([openBrowser(), startRig({ modems: [{}, { sim: 'absent' }] })])
    await rig.box.ready(1)
    await setUp(rig.box)
    const erika = { name: 'erika', password, role: 'admin', language: 'de' }
    await rig.box.call('POST', '/api/v1/users', erika)
    const to = ['+491705550001', '+491705550002']
    const { body } = await rig.box.call('POST', '/api/v1/messages', { to, text: 'Pump 3 has stopped' })
    message = String(body['id'])
    for (const user of ['admin', 'erika'])
      views.push(await openPanel(browser, rig.box.address, '/', { user, ...still }))
    for (const { page } of views) await page.addInitScript(listening)
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  /** Runs before the page's own code: notes what is asked for until there is a page, and nothing on it waits. */
  const listening = `
    globalThis.asked = []
    const { fetch } = globalThis
    const whole = () => document.querySelector('h1') !== null && document.querySelector('.skeleton') === null
    globalThis.fetch = (path, ...more) => {
      if (!whole()) globalThis.asked.push(path)
      return fetch(path, ...more)
    }
  `

  async function look(view: View, path: string, address = rig.box.address): Promise<string[]> {
    const { page } = view
    await page.goto(address + path)
    await page.locator('h1').first().waitFor()
    await page.locator('.skeleton').first().waitFor({ state: 'detached' })
    await page.evaluate(axe.source)
    const wrong: string[] = []
    for (const size of sizes) {
      await page.setViewportSize(size)
      const beyond = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')
      if (beyond > 0) wrong.push(`${path} is ${beyond} px wider than ${size.width}`)
      // Colours are the same at any width, and the layout in any theme.
      for (const theme of size.width === 360 ? themes : (['light'] as const)) {
        await page.emulateMedia({ colorScheme: theme })
        for (const finding of await findings(page)) wrong.push(`${path} ${size.width} ${theme} ${finding}`)
      }
    }
    return wrong
  }

  /** A page without anybody logged in, looked at in both languages. */
  async function door(address: string, path: string): Promise<string[]> {
    const wrong: string[] = []
    for (const locale of ['en', 'de-DE']) {
      const view = await openPanel(browser, address, path, { user: null, locale, ...still })
      expect(new URL(view.page.url()).pathname).toBe(path)
      wrong.push(...(await look(view, path, address)), ...view.faults)
      await view.close()
    }
    return wrong
  }

  it('/login', async () => {
    expect(await door(rig.box.address, '/login')).toEqual([])
  })

  it('/setup', async () => {
    const fresh = await startRig()
    try {
      expect(await door(fresh.box.address, '/setup')).toEqual([])
    } finally {
      await fresh.stop()
    }
  })

  it('all of them over plain http, where a browser offers less than over https', {
    timeout: 60_000,
  }, async () => {
    const address = rig.box.address.replace('127.0.0.1', plainName)
    const { page, faults, close } = await openPanel(browser, address, '/login', { user: null })
    expect(await page.evaluate('isSecureContext')).toBe(false)
    await page.getByLabel('Name').fill('admin')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('link', { name: 'Queue', exact: true }).first().waitFor()
    for (const path of [...paths, `/queue/${message}`]) {
      await page.goto(address + path)
      await page.locator('h1').first().waitFor()
      await page.locator('.skeleton').first().waitFor({ state: 'detached' })
    }
    expect(faults).toEqual([])
    await close()
  })

  it.each([...paths, '/queue/:id'])('%s', { timeout: 45_000 }, async (pattern) => {
    const path = pattern.replace(':id', message)
    const wrong: string[] = []
    for (const view of views) {
      view.faults.length = 0
      wrong.push(...(await look(view, path)), ...view.faults)
      // The answers came with the page; only what took the appliance too long is asked for.
      const known = ['/api/v1/session', '/api/v1/events', ...(asks.get(pattern) ?? [])].map((ask) =>
        ask.replace(':id', message),
      )
      // Which records are the newest is known only by the answer before.
      for (const ask of await view.page.evaluate<string[]>('globalThis.asked'))
        if (!known.includes(ask) && !ask.startsWith('/api/v1/audit?'))
          wrong.push(`${path} does not say that it asks for ${ask} first`)
    }
    expect(wrong).toEqual([])
  })

  it('the pages say what they ask for first', () => {
    expect(asks.get('/queue/:id')).toEqual(['/api/v1/messages/:id'])
    expect(asks.size).toBeGreaterThan(15)
  })
})
