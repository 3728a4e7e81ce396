/**
 * A member's own file in a real browser: every key has a form, a wrong value gets its message beside the field and nothing
 * is applied, a right one is on trial and goes back or is kept, comments stay, secrets are replaced and never shown, and
 * an earlier version of the file comes back.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { ownForm } from '#config/own-form.ts'
import { describeWith } from '../requirements.ts'
import { type RunningAppliance, startAppliance, until } from '../system/appliance.ts'
import { openBrowser, openPanel, password, setUp, setupCode } from './browser.ts'

// Real processes that start anew, and a browser, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 120_000 })
const PATIENCE = { timeout: 30_000 }

const more = `
# whom to call: Ann
mail: { url: "smtps://box:hunter2@mail.example.org:465", from: box@example.org } # ask Ann
inbound:
  webhook:
    url: https://example.org/hook
    secret: a secret of some length # mind the secret
`

/** It starts anew within the test, and the page has to find it again. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

describeWith(['chromium'], 'the panel, a member’s own file', () => {
  let browser: Browser
  let box: RunningAppliance
  const directory = mkdtempSync(join(tmpdir(), 'own-file-'))

  beforeAll(async () => {
    const listen = `127.0.0.1:${await freePort()}`
    ;[browser, box] = await Promise.all([
      openBrowser(),
      startAppliance({ directory, ports: ['sim://gsm'], more, listen }),
    ])
    await setUp(box)
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await box.kill('SIGTERM')
    rmSync(directory, { recursive: true, force: true })
  })

  const file = () => readFileSync(join(directory, 'twinline.yaml'), 'utf8')
  const lineIds = async (): Promise<unknown> => {
    const answer = await box.call('GET', '/api/v1/lines').catch(() => undefined)
    const items: unknown = answer?.body['items']
    return Array.isArray(items) ? items.map((item) => item.id) : undefined
  }
  const haveLines = (...ids: string[]) =>
    until(async () => String(await lineIds()) === ids.join(), `the lines are ${ids.join()}`)
  const trialOf = (page: Page): Locator => page.getByRole('region', { name: 'On trial: confirm to keep it' })
  const apply = async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached', ...PATIENCE })
  }
  const linesOf = (page: Page): Locator => page.locator('.table-field', { hasText: 'The modems of this' })

  it('has a form for every section of the file, with meanings in the language of the user', async () => {
    const { page, faults, close } = await openPanel(browser, box.address, '/configuration/appliance')
    const titles = page.getByRole('navigation', { name: 'Sections' }).getByRole('link')
    expect(await titles.count()).toBe(ownForm().length)
    await page.getByLabel('Use: Mail to SMS').waitFor()
    expect(await page.getByLabel('Use: Mail to SMS').isChecked()).toBe(false)
    expect(await page.getByLabel('Use: Webhook').isChecked()).toBe(true)
    expect(await page.content()).not.toMatch(/hunter2|a secret of some/)
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export as text' }).click(),
    ])
    const text = readFileSync(await saved.path(), 'utf8')
    expect(text).toContain('# whom to call: Ann')
    expect(text).not.toMatch(/hunter2|a secret of some/)
    expect(faults).toEqual([])
    await close()
  })

  it('adds a line: a wrong value stands beside its field, a right one is on trial, goes back, is kept', async () => {
    const before = file()
    const { page, close } = await openPanel(browser, box.address, '/configuration/appliance')
    await page.route('**/own-configuration*', (route) =>
      route.request().method() === 'PUT'
        ? route.continue({ postData: (route.request().postData() ?? '').replace('"90s"', '"10s"') })
        : route.continue(),
    )
    const lines = linesOf(page)
    const add = async (port: string): Promise<Locator> => {
      await lines.getByRole('button', { name: 'Add an entry' }).first().click()
      const entry = lines.locator('.entry').last()
      await entry.getByLabel('Name', { exact: true }).fill('gsm1')
      await entry.getByLabel('Port', { exact: true }).fill(port)
      return entry
    }
    const entry = await add('usb:1')
    await entry.locator('.field-error').getByText('serial:///dev/ttyUSB2', { exact: false }).waitFor()
    expect(await entry.getByLabel('Port', { exact: true }).getAttribute('aria-invalid')).toBe('true')
    await entry.getByLabel('PIN').fill('12')
    await page.getByText('2 problems').waitFor()
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    await until(
      () => page.evaluate<boolean>("document.activeElement.getAttribute('aria-invalid') === 'true'"),
      'the focus is at the first problem',
    )
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(file()).toBe(before)

    // A fax line has other keys than a GSM line.
    await entry.getByLabel('Kind', { exact: true }).selectOption('fax')
    await entry.getByLabel('Own number').waitFor()
    expect(await entry.getByLabel('PIN').count()).toBe(0)
    await entry.getByLabel('Kind', { exact: true }).selectOption('gsm')
    await entry.getByLabel('Port', { exact: true }).fill('sim://gsm')
    await page.getByText('1 change, not applied').waitFor()
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('.diff-new', { hasText: 'gsm1' }).waitFor()
    await dialog.getByText('starts anew with the new settings', { exact: false }).waitFor()
    await dialog.getByRole('button', { name: 'Apply' }).click()
    await trialOf(page).waitFor(PATIENCE)
    await haveLines('gsm0', 'gsm1')
    expect(await linesOf(page).getByLabel('Name', { exact: true }).first().isDisabled()).toBe(true)
    await haveLines('gsm0')
    expect(file()).toBe(before)
    await trialOf(page).waitFor({ state: 'detached', ...PATIENCE })

    await page.unroute('**/own-configuration*')
    await page.getByRole('button', { name: 'Add an entry' }).first().waitFor(PATIENCE)
    await add('sim://gsm')
    await apply(page)
    await trialOf(page).getByRole('button', { name: 'Keep it' }).click(PATIENCE)
    await trialOf(page).waitFor({ state: 'detached', ...PATIENCE })
    await haveLines('gsm0', 'gsm1')
    expect(file()).toContain('# whom to call: Ann')
    expect(file()).toContain('# ask Ann')
    expect(file()).toContain('hunter2')
    await close()
  })

  it('replaces a secret unseen, and brings an earlier file back with one click', async () => {
    const { page, close } = await openPanel(browser, box.address, '/configuration/appliance')
    const webhook = page.locator('.field', { has: page.locator('[name="inbound.webhook.secret"]') })
    expect(await webhook.locator('input').inputValue()).toBe('set, not shown')
    await webhook.getByRole('button', { name: 'Replace: Secret' }).click()
    await webhook.locator('input').fill('short')
    await webhook.locator('.field-error').getByText('16 to 200', { exact: false }).waitFor()
    await webhook.locator('input').fill('another secret of some length')
    await page.getByText('1 problem').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('neither the old nor the new one is shown', { exact: false }).waitFor()
    await dialog.getByRole('button', { name: 'Apply' }).click()
    await trialOf(page).getByRole('button', { name: 'Keep it' }).click(PATIENCE)
    await trialOf(page).waitFor({ state: 'detached', ...PATIENCE })
    expect(file()).toContain('secret: another secret of some length # mind the secret')

    const history = page.locator('.card', { hasText: 'Earlier versions of the file' })
    const entries = history.locator('details.entry')
    await until(async () => (await entries.count()) === 4, 'all changes are told')
    expect(await entries.nth(0).textContent()).toContain('admin')
    expect(await entries.nth(2).textContent()).toContain('taken back by itself')
    await entries.nth(1).locator('summary').click()
    await entries.nth(1).getByRole('button', { name: 'Back to the file before this change' }).click()
    await dialog.locator('.diff-gone', { hasText: 'gsm1' }).waitFor()
    await dialog.getByText('neither the old nor the new one is shown', { exact: false }).waitFor()
    await dialog.getByRole('button', { name: 'Apply' }).click()
    await trialOf(page).getByRole('button', { name: 'Keep it' }).click(PATIENCE)
    await haveLines('gsm0')
    expect(file()).toContain('secret: a secret of some length # mind the secret')
    await close()
  })

  it('lets a new box take the place of this one: its backup in the first run, with its file', async () => {
    const passphrase = 'a passphrase of some length'
    await box.call('PUT', '/api/v1/contacts/ann', { sms: '+49170111' })
    const maker = await openPanel(browser, box.address, '/configuration/backup')
    const card = maker.page.locator('.card', { has: maker.page.getByLabel('Passphrase, once more') })
    await card.getByLabel('Passphrase', { exact: true }).fill(passphrase)
    await card.getByLabel('Passphrase, once more').fill(passphrase)
    const [backup] = await Promise.all([
      maker.page.waitForEvent('download'),
      card.getByRole('button', { name: 'Make and download' }).click(),
    ])
    const buffer = readFileSync(await backup.path())
    await maker.close()
    await box.kill('SIGTERM')

    const fresh = mkdtempSync(join(tmpdir(), 'own-file-new-'))
    const other = await startAppliance({ directory: fresh, ports: ['sim://gsm'], listen: '127.0.0.1:0' })
    try {
      const { page, close } = await openPanel(browser, other.address, '/', { user: null })
      await page.getByLabel('Setup code').fill(setupCode(other))
      await page.getByLabel('User name').fill('somebody')
      await page.getByLabel('Password', { exact: true }).fill(password)
      await page.getByLabel('Password again').fill(password)
      await page.getByLabel('Name of this appliance').fill('New box')
      await page.getByRole('button', { name: 'Set up and log in' }).click()
      await page.getByRole('button', { name: 'Go on' }).click()
      await page.getByRole('link', { name: 'Restore a backup' }).click()
      const restore = page.locator('.card', { has: page.getByLabel('Backup file') })
      await restore.getByLabel('Backup file').setInputFiles({ name: 'a.backup', mimeType: '', buffer })
      await restore.getByLabel('Passphrase', { exact: true }).fill(passphrase)
      await restore.getByLabel('Bring back its configuration file').check()
      await restore.getByRole('button', { name: 'Restore this backup' }).click()
      await page.getByText('The backup of box-a is restored').waitFor(PATIENCE)
      await close()
      // It listens where the one before did, and knows whom that one knew.
      await until(
        async () => (await fetch(`${box.address}/healthz`).catch(() => undefined))?.ok === true,
        'it is back at the address of the one before',
      )
      const again = await openPanel(browser, box.address, '/people')
      await again.page.getByText('+49170111').waitFor()
      await again.page.goto(`${box.address}/configuration/appliance`)
      await again.page.getByText('restored backup', { exact: false }).waitFor()
      await again.close()
      expect(readFileSync(join(fresh, 'twinline.yaml'), 'utf8')).toBe(file())
    } finally {
      await other.kill('SIGTERM')
      rmSync(fresh, { recursive: true, force: true })
    }
  })
})
