/**
 * The pair in a real browser, two real appliances with a page each: paired by a code that one shows and the other takes,
 * the service moved by its buttons, and a failover watched while the active gateway is killed.
 */
import axe from 'axe-core'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { openBrowser, openPanel, password, setUp, type View } from './browser.ts'
import { makeActive, type PairRig, startPair } from './pair-rig.ts'

/** A failover takes seconds on a machine with nothing else to do. */
const PATIENCE = { timeout: 20_000 }

// Real processes and a browser, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 60_000 })

describeWith(['chromium'], 'the panel of a pair', () => {
  let browser: Browser
  let rig: PairRig
  let a: View
  let b: View

  beforeAll(async () => {
    ;[browser, rig] = await Promise.all([openBrowser(), startPair(92)])
    await Promise.all([setUp(rig.a.running(), 'Berlin, cellar'), setUp(rig.b.running(), 'Berlin, roof')])
    ;[a, b] = await Promise.all([
      openPanel(browser, rig.a.address, '/pair'),
      openPanel(browser, rig.b.address, '/pair/join'),
    ])
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  it('pairs two appliances: a code, the fingerprints on both ends, everything copied', async () => {
    await a.page.getByRole('link', { name: 'Pair with another appliance' }).click()
    await a.page.getByRole('button', { name: 'Show a code' }).click()
    await a.page.getByText(/Works for (10:00|9:\d\d) more/).waitFor()
    const code = (await a.page.locator('.pair-code-row span').allTextContents()).join('-')
    expect(code).toMatch(/^([0-9A-Z]{6}-)+[0-9A-Z]{2,6}$/)
    await a.page.getByAltText('The code as a QR picture').waitFor()
    expect(await a.page.evaluate<number>("document.querySelector('.qr').naturalWidth")).toBeGreaterThan(20)

    const field = b.page.getByLabel('Code of the other appliance')
    const join = b.page.getByRole('button', { name: 'Join' })
    const wrong = code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`
    await field.fill(wrong)
    await b.page.getByText('Group 1', { exact: false }).waitFor()
    expect(await join.isDisabled()).toBe(true)
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    await field.fill(code.toLowerCase().replaceAll('-', ' '))
    await join.click()
    await b.page.getByText('This appliance is a member of the pair of', { exact: false }).waitFor(PATIENCE)

    await a.page.getByRole('heading', { name: /Compare the fingerprints/ }).waitFor(PATIENCE)
    await b.page.getByRole('heading', { name: /Compare the fingerprints/ }).waitFor(PATIENCE)
    const shown = (view: View) => view.page.locator('.compare .fingerprint').allTextContents()
    expect(await shown(a)).toEqual(await shown(b))
    expect((await shown(a))[0]).toMatch(/^[0-9A-F]{64}$/)
    await b.page.getByText('It holds everything that the others hold.').waitFor(PATIENCE)
    await b.page.setViewportSize({ width: 360, height: 740 })
    expect(await b.page.evaluate<number>('document.documentElement.scrollWidth')).toBe(360)
    await b.page.setViewportSize({ width: 1280, height: 900 })
    for (const view of [a, b]) await view.page.getByRole('button', { name: 'They are the same' }).click()
    await a.page.getByText('The code was used.').waitFor()
  })

  it('shows both members in the words of operators, and who answers at the common address', async () => {
    await makeActive(rig.a)
    for (const view of [a, b]) await view.page.getByRole('link', { name: 'Members' }).click()
    const card = (view: View, name: string) =>
      view.page.locator('.card', { has: view.page.getByRole('heading', { name: new RegExp(name) }) })
    for (const view of [a, b]) {
      await card(view, 'box-a').getByText('Active (Primary)').waitFor(PATIENCE)
      await card(view, 'box-b').getByText('Standby (Backup)').waitFor(PATIENCE)
    }
    await card(a, 'box-b').getByText('Complete · 0 entries behind').waitFor(PATIENCE)
    await card(a, 'box-b')
      .getByText(/as here, within 50\sms|ms (ahead of|behind) this one/)
      .waitFor()
    await a.page.getByText('the same on all').waitFor(PATIENCE)
    await b.page.getByRole('button', { name: 'Ask the address' }).click()
    await b.page.getByText(/Berlin, cellar answers: Active \(Primary\)/).waitFor(PATIENCE)
    await b.page.getByText('That is the active member, as it should be.').waitFor()
  })

  it('gets the files of any member from the one that answers', async () => {
    const { page, close } = await openPanel(browser, rig.a.address, '/configuration/support')
    const save = async (button: string) => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: button }).click(),
      ])
      return download.suggestedFilename()
    }
    expect(await save('Download the bundle')).toMatch(/^twinline-all-members-/)
    await page.getByLabel('Of which member').selectOption('box-b')
    expect(await save('Download the bundle')).toMatch(/^twinline-box-b-/)
    await page.getByRole('link', { name: 'Backup', exact: true }).click()
    const make = page.locator('.card', { has: page.getByRole('heading', { name: 'Make a backup' }) })
    await make.getByLabel('Of which member').selectOption('box-b')
    await make.getByLabel('Passphrase', { exact: true }).fill(password)
    await make.getByLabel('Passphrase, once more').fill(password)
    expect(await save('Make and download')).toMatch(/^twinline-box-b-.*\.backup$/)
    await close()
  })

  it('moves the service and back, each time saying first what will happen', async () => {
    await makeActive(rig.a)
    await a.page.getByRole('button', { name: '→ Standby: let Berlin, cellar stand by' }).click()
    const dialog = a.page.getByRole('dialog')
    await dialog.getByText('Nothing that was accepted is lost.').waitFor()
    await dialog.getByText('The common address', { exact: false }).waitFor()
    await dialog.getByRole('button', { name: 'Leave as it is' }).click()
    expect((await rig.a.running().call('GET', '/api/v1/pair')).body['role']).toBe('active')

    await a.page.getByRole('button', { name: '→ Active: make Berlin, roof active' }).click()
    await dialog.getByRole('button', { name: 'Make Berlin, roof active' }).click()
    await a.page.getByText('Berlin, roof is active now', { exact: false }).waitFor(PATIENCE)
    await b.page.locator('.plate').getByText('Active (Primary)').waitFor(PATIENCE)
    await a.page.locator('.plate').getByText('Standby (Backup)').waitFor(PATIENCE)

    await b.page.getByRole('button', { name: '→ Standby: let Berlin, roof stand by' }).click()
    await b.page.getByRole('dialog').getByRole('button', { name: 'Make Berlin, cellar active' }).click()
    await b.page.getByText('Berlin, cellar is active now', { exact: false }).waitFor(PATIENCE)
    await a.page.locator('.plate').getByText('Active (Primary)').waitFor(PATIENCE)
  })

  it('shows a failover live, with the log to the millisecond, and the return of the lost one', async () => {
    await makeActive(rig.a)
    const common = await openPanel(browser, rig.common, '/pair')
    await common.page.locator('.plate').getByText('Berlin, cellar').waitFor()
    const own = (await b.page.locator('.log').count()) === 0
    expect(own).toBe(true)
    await rig.a.running().kill('SIGKILL')
    await b.page.locator('.plate').getByText('Active (Primary)').waitFor(PATIENCE)
    const lost = b.page.locator('.card', { has: b.page.getByRole('heading', { name: /Berlin, cellar/ }) })
    await lost.getByText('Error', { exact: true }).waitFor(PATIENCE)
    await b.page.getByText('Berlin, cellar is silent').waitFor(PATIENCE)
    // Whoever came by the common address is led to the other one, and told so.
    await common.page.locator('.plate').getByText('Berlin, roof').waitFor(PATIENCE)
    await common.close()

    await b.page.getByRole('link', { name: 'Failover log' }).click()
    const line = b.page.locator('.log li', { hasText: 'SWITCH THIS SERVER TO ACTIVE' }).last()
    await line.waitFor(PATIENCE)
    expect(await line.locator('.log-time').textContent()).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/)
    await b.page.getByLabel('Search').fill('no such words')
    await b.page.getByText('No line has these words').waitFor()

    await rig.a.start()
    await b.page.getByRole('link', { name: 'Members' }).click()
    await lost.getByText('Standby (Backup)').waitFor(PATIENCE)
    await lost.getByText('Complete', { exact: false }).waitFor(PATIENCE)
    await until(async () => {
      const { body } = await rig.a.running().call('GET', '/api/v1/pair')
      return body['role'] === 'standby'
    }, 'box-a stands by')
  })

  it('runs a drill on the active member, measures it and keeps the report', async () => {
    await until(async () => {
      const { body } = await rig.b.running().call('GET', '/api/v1/pair')
      return JSON.stringify(body).includes('"state":"current"')
    }, 'box-a holds everything')
    await makeActive(rig.b)
    await a.page.goto(`${rig.a.address}/pair/drill`)
    await a.page.getByLabel('Berlin, roof', { exact: false }).check()
    await a.page.getByLabel('Freeze', { exact: false }).check()
    await a.page.getByRole('button', { name: 'Begin the drill' }).click()
    const dialog = a.page.getByRole('dialog')
    await dialog.getByText('It is the active member: clients wait at most about 2.3 s.').waitFor()
    await dialog.getByRole('button', { name: 'Begin the drill' }).click()
    await a.page.getByText('A drill is running on Berlin, roof').waitFor(PATIENCE)
    await a.page.locator('.plate').getByText('Active (Primary)').waitFor(PATIENCE)
    const report = a.page.getByRole('article', { name: 'Freeze' })
    await report.waitFor({ timeout: 40_000 })
    await report.getByText('Nothing lost').waitFor()
    expect(await report.getByText('Berlin, cellar', { exact: true }).count()).toBe(1)
    await report.getByText(/^\d+(\.\d+)? s$/).waitFor()
  }, 90_000)

  it('has no fault that axe-core finds on its pages with two members, and fits a phone', async () => {
    const view = await openPanel(browser, rig.a.address, '/pair', { viewport: { width: 360, height: 760 } })
    for (const path of ['/pair', '/pair/join', '/pair/drill', '/pair/log', '/pair/settings', '/records']) {
      await view.page.goto(rig.a.address + path)
      await view.page.locator('.card').first().waitFor()
      await view.page.locator('.skeleton').first().waitFor({ state: 'detached' })
      await view.page.evaluate(axe.source)
      const found = await view.page.evaluate<string[]>(
        `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }).then(({ violations }) =>
          violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ' ' + target.join(' '))))`,
      )
      expect(found, path).toEqual([])
      const beyond = await view.page.evaluate<number>(
        'document.documentElement.scrollWidth - window.innerWidth',
      )
      expect(beyond, path).toBeLessThanOrEqual(0)
    }
    await view.close()
  }, 60_000)

  it('checks the settings of the pair while they are typed, and starts anew with a change on trial', async () => {
    const view = await openPanel(browser, rig.b.address, '/pair/settings?node=box-a')
    const { page } = view
    const profile = page.getByLabel('Heartbeat profile', { exact: true })
    await page.getByLabel('Consecutive failures').fill('3')
    await page.getByLabel('A restart takes up to').fill('60s')
    await page
      .getByText('broken: (3 − 1) × 300 ms = 600 ms must be longer than 60 s; 202 failures would do')
      .first()
      .waitFor()
    await page.locator('.field-error', { hasText: 'misses' }).first().waitFor()
    await profile.selectOption('telisca')
    await page.locator('.outlook').getByText('2 min 40 s').first().waitFor()
    await page.getByRole('textbox', { name: 'Priority' }).fill('999')
    await page.locator('.setting-changed .field-error').first().waitFor()
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    expect(await page.getByRole('dialog').count()).toBe(0)

    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByRole('textbox', { name: 'Priority' }).fill('140')
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    await page.getByRole('dialog').locator('.diff-new', { hasText: '140' }).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
    await page.getByRole('button', { name: 'Keep it' }).click(PATIENCE)
    await page.getByText('The change is kept').waitFor()
    const { body } = await rig.a.running().call('GET', '/api/v1/own-configuration')
    expect(body['text']).toContain('priority: 140')

    await page.getByRole('textbox', { name: 'Priority' }).fill('141')
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
    const back = page.getByRole('button', { name: 'Take it back now' })
    await back.waitFor(PATIENCE)
    const starts = () => rig.a.running().log().split('"msg":"started"').length
    const before = starts()
    await back.click()
    await page.getByText('The old settings are back').waitFor(PATIENCE)
    await until(() => starts() > before, 'it started anew')
    const again = await rig.a.running().call('GET', '/api/v1/own-configuration')
    expect(again.body['text']).toContain('priority: 140')
    expect(again.body).not.toHaveProperty('trial')

    // Every other key of that member's file, and who changed it, from this one as well.
    await page.goto(`${rig.b.address}/configuration/appliance?node=box-a`)
    await expect.poll(() => page.locator('input[name="node"]').inputValue(), PATIENCE).toBe('box-a')
    const changes = page.locator('.card', { hasText: 'Earlier versions of the file' }).locator('.entry')
    await changes.filter({ hasText: 'Priority' }).first().waitFor()
    expect(await changes.first().textContent()).toContain('admin')
    await view.close()
  })

  it('shows what both sides of a cut changed, and lets a person decide', async () => {
    const role = async (box: PairRig['a']) => (await box.running().call('GET', '/api/v1/pair')).body['role']
    await makeActive(rig.b)
    await until(
      async () => (await role(rig.a)) === 'standby' && (await role(rig.b)) === 'active',
      'a pair again',
    )
    const cut = async () => (await rig.a.running().call('POST', '/api/v1/pair/drill', { kind: 'cut' })).status
    await until(async () => (await cut()) === 200, 'box-a is cut off')
    // Without a witness both serve meanwhile, as in a real cut.
    await until(
      async () => (await role(rig.a)) === 'active' && (await role(rig.b)) === 'active',
      'both are active',
    )
    for (const [box, validity] of [
      [rig.a, '5h'],
      [rig.b, '6h'],
    ] as const)
      expect((await box.running().call('PATCH', '/api/v1/config', { validity })).status).toBe(200)
    const view = await openPanel(browser, rig.b.address, '/configuration/conflicts')
    const card = view.page.locator('.card', { has: view.page.getByRole('heading', { name: 'Validity' }) })
    const other = card.getByRole('region', { name: 'The other value' })
    await other.waitFor({ timeout: 40_000 })
    const shown = [
      await card.getByRole('region', { name: 'Holds now' }).locator('pre').textContent(),
      await other.locator('pre').textContent(),
    ]
    expect(shown.toSorted()).toEqual(['5h', '6h'])
    await other.getByRole('button').click()
    await view.page.getByText('No conflicts').waitFor(PATIENCE)
    for (const box of [rig.a, rig.b])
      await until(async () => {
        const { body } = await box.running().call('GET', '/api/v1/config')
        const items: unknown = body['items']
        return Array.isArray(items) && items.find(({ path }) => path === 'validity')?.value === shown[1]
      }, 'the other value holds on both')
    await view.close()
  }, 90_000)

  it('removes a member, after its name was typed in', async () => {
    await makeActive(rig.b)
    await b.page.getByRole('link', { name: 'Members' }).click()
    await b.page.getByRole('button', { name: 'Remove Berlin, cellar from the pair' }).click(PATIENCE)
    const dialog = b.page.getByRole('dialog')
    const remove = dialog.getByRole('button', { name: 'Remove' })
    expect(await remove.isDisabled()).toBe(true)
    await dialog.getByLabel('Type box-a to confirm').fill('box-a')
    await remove.click()
    await b.page.getByText('Berlin, cellar was removed').waitFor(PATIENCE)
    await b.page.getByText('No partner yet').waitFor(PATIENCE)
  })
})
