/**
 * Settings and people in a real browser: bad input gets its message beside the field and nothing is half-applied, a
 * change goes back unless it is confirmed, roles hold, and a table of contacts is looked at before it is taken.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { openBrowser, openPanel, type PanelRig, password, setUp, startRig } from './browser.ts'

// Real processes and a browser, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 60_000 })

describeWith(['chromium'], 'the panel, settings and people', () => {
  let browser: Browser
  let rig: PanelRig

  beforeAll(async () => {
    ;[browser, rig] = await Promise.all([openBrowser(), startRig({ modems: [{}] })])
    await setUp(rig.box)
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  const setting = async (path: string): Promise<unknown> => {
    const { body } = await rig.box.call('GET', '/api/v1/config')
    const items: unknown = body['items']
    return Array.isArray(items) ? items.find((item) => item.path === path)?.value : undefined
  }

  const apply = async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }

  it('puts messages beside the field and the entry, and applies nothing', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/configuration')
    const validity = page.getByRole('textbox', { name: 'Validity' })
    await validity.fill('soon')
    await page.locator('.setting-changed .field-error').getByText('30m', { exact: false }).waitFor()
    expect(await validity.getAttribute('aria-invalid')).toBe('true')
    const routes = page.locator('.table-field', { hasText: 'Routes' })
    await routes.getByRole('button', { name: 'Add an entry' }).click()
    await routes.getByLabel('Numbers').fill('+49*')
    await routes.getByLabel('Lines').fill('gsm9')
    await routes.locator('.field-error').getByText('gsm9', { exact: false }).first().waitFor()
    await page.getByText('2 problems').waitFor()
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    await until(
      () => page.evaluate<boolean>("document.activeElement.getAttribute('aria-invalid') === 'true'"),
      'the focus is at the first problem',
    )
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await setting('routes')).toEqual([])

    await validity.fill('2h')
    await routes.getByLabel('Lines').fill('gsm0')
    await page.getByText('2 changes, not applied').waitFor()
    await page.getByRole('button', { name: 'Look at the difference' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('.diff-gone', { hasText: '30m' }).waitFor()
    await dialog.locator('.diff-new', { hasText: '2h' }).waitFor()
    await dialog.locator('.diff-new', { hasText: '- match: +49*' }).waitFor()
    await dialog.getByRole('button', { name: 'Go on editing' }).click()
    await page.getByRole('button', { name: 'Discard' }).click()
    expect(await validity.inputValue()).toBe('30m')
    await close()
  })

  it('goes back by itself when nobody confirms, and stays when somebody does', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/configuration')
    // The same as ever but for the time, which would be 90 s.
    await page.route('**/config/apply', (route) =>
      route.continue({ postData: (route.request().postData() ?? '').replace('"90s"', '"10s"') }),
    )
    await page.getByRole('textbox', { name: 'Validity' }).fill('3h')
    await apply(page)
    const trial = page.getByRole('region', { name: 'On trial: confirm to keep it' })
    await trial.getByText(/0:(10|0\d)/).waitFor()
    // The button that had the focus is gone; the keyboard goes on at what there is to do now.
    await expect.poll(() => page.evaluate('document.activeElement?.className')).toBe('trial')
    expect(await setting('validity')).toBe('3h')
    // Another page of the same appliance shows it as well, and nothing can be typed meanwhile.
    const second = await openPanel(browser, rig.box.address, '/configuration')
    await second.page.getByRole('region', { name: 'On trial: confirm to keep it' }).waitFor()
    expect(await second.page.getByRole('textbox', { name: 'Validity' }).isDisabled()).toBe(true)
    await second.close()
    await trial.waitFor({ state: 'detached', timeout: 20_000 })
    await until(async () => (await setting('validity')) === '30m', 'the old value is back')
    await expect.poll(() => page.getByRole('textbox', { name: 'Validity' }).inputValue()).toBe('30m')

    await page.getByRole('textbox', { name: 'Validity' }).fill('4h')
    await apply(page)
    await trial.getByRole('button', { name: 'Keep it' }).click()
    await page.getByText('The change is kept').waitFor()
    await trial.waitFor({ state: 'detached' })
    expect(await setting('validity')).toBe('4h')

    await page.getByRole('link', { name: 'History' }).click()
    const newest = page.locator('.card').first()
    await newest.getByText('admin', { exact: false }).waitFor()
    await newest.getByText('What changed (1 setting)').click()
    await newest.locator('.diff-new', { hasText: '4h' }).waitFor()
    await page.locator('.card', { hasText: 'taken back by itself' }).waitFor()
    await newest.getByRole('button', { name: 'Take back the change of Validity' }).click()
    await page.getByRole('dialog').locator('.diff-new', { hasText: '30m' }).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click()
    await until(async () => (await setting('validity')) === '30m', 'the change is taken back')
    await close()
  }, 60_000)

  it.each([
    ['en-GB', 'Another change is still on trial: ', 'It ends at '],
    ['de-DE', 'Eine andere Änderung ist noch auf Probe: ', 'Sie endet am '],
  ])('says until when a change on trial refuses another one, in %s', async (locale, why, when) => {
    const german = locale === 'de-DE'
    const { page, close } = await openPanel(browser, rig.box.address, '/configuration', { locale })
    await page.getByRole('textbox', { name: german ? 'Gültigkeit' : 'Validity' }).fill('5h')
    await page
      .getByRole('button', { name: german ? 'Unterschied ansehen' : 'Look at the difference' })
      .click()
    const button = page.getByRole('dialog').getByRole('button', { name: german ? 'Anwenden' : 'Apply' })
    await button.waitFor()
    const change = { changes: { validity: '6h' }, confirmWithin: '90s' }
    const { body } = await rig.box.call('POST', '/api/v1/config/apply', change)
    await button.click()
    const told = page.getByText(why, { exact: false }).first()
    await told.waitFor()
    const text = (await told.textContent()) ?? ''
    expect(text).toContain(when)
    expect(text).toMatch(/\d\d:\d\d:\d\d \(\S+\)\.$/)
    expect(text).not.toContain(String(body['revision']))
    await rig.box.call('POST', '/api/v1/config/revert', { revision: body['revision'] })
    await close()
  })

  it('turns a section on with what would hold anyway, and off', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/configuration')
    await page.getByLabel('Use: Digest').check()
    const digest = page.locator('.group-field', { has: page.getByLabel('Use: Digest') }).last()
    expect(await digest.getByLabel('One by one').inputValue()).toBe('3')
    await digest.getByLabel('One by one').fill('5')
    await apply(page)
    await page.getByRole('button', { name: 'Keep it' }).click()
    await page.getByText('The change is kept').waitFor()
    expect(await setting('storm')).toMatchObject({ group: { after: 5, window: '1m' } })
    await close()
  })

  it('makes users with roles; each sees what it may, and is gone when it is removed', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/people/users')
    await page.getByRole('button', { name: 'New user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('maria')
    await dialog.getByLabel('Password', { exact: true }).fill('short')
    await dialog.getByLabel('Viewer').check()
    await dialog.getByRole('button', { name: 'Make the user' }).click()
    await dialog.locator('.field-error').getByText('10', { exact: false }).waitFor()
    expect(await dialog.getByLabel('Password', { exact: true }).getAttribute('aria-invalid')).toBe('true')
    await dialog.getByLabel('Password', { exact: true }).fill(password)
    await dialog.getByRole('button', { name: 'Make the user' }).click()
    await page.getByText('maria can log in now').waitFor()

    const maria = await openPanel(browser, rig.box.address, '/people', { user: 'maria' })
    const tabs = maria.page.getByRole('navigation', { name: 'People' })
    await tabs.getByRole('link', { name: 'Groups' }).waitFor()
    expect(await tabs.getByRole('link', { name: 'Users' }).count()).toBe(0)
    expect(await maria.page.getByRole('button', { name: 'New contact' }).count()).toBe(0)
    await maria.page.goto(`${rig.box.address}/people/users`)
    await maria.page.getByText('This page is not for your role').waitFor()
    await maria.page.goto(`${rig.box.address}/configuration`)
    await maria.page.getByText('changing it takes the role of an administrator', { exact: false }).waitFor()
    expect(await maria.page.getByRole('textbox', { name: 'Validity' }).isDisabled()).toBe(true)

    await page.getByRole('button', { name: 'Edit maria' }).click()
    await dialog.getByLabel('Administrator').check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('maria is saved').waitFor()
    await maria.page.goto(`${rig.box.address}/people/me`)
    await maria.page.getByLabel('Present password').fill('not it at all')
    await maria.page.getByLabel('New password', { exact: true }).fill('another long one')
    await maria.page.getByLabel('New password, once more').fill('another long one')
    await maria.page.getByRole('button', { name: 'Change the password' }).click()
    await expect
      .poll(() => maria.page.getByLabel('Present password').getAttribute('aria-invalid'))
      .toBe('true')
    await maria.page.getByLabel('Present password').fill(password)
    await maria.page.getByRole('button', { name: 'Change the password' }).click()
    await maria.page.getByText('The password is changed').waitFor()

    await page.getByRole('button', { name: 'Remove maria' }).click()
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await page.getByText('maria was removed').waitFor()
    await maria.page.reload()
    await maria.page.getByRole('heading', { name: 'Log in' }).waitFor()
    await maria.close()
    await close()
  })

  it('shows a token once, and when it was used', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/people/tokens')
    await page.getByRole('button', { name: 'New token' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('monitoring')
    await page.getByRole('dialog').getByRole('button', { name: 'Make the token' }).click()
    const token = (await page.locator('.token').textContent()) ?? ''
    const row = page.getByRole('row', { name: /monitoring/ })
    await row.getByText('never').waitFor()
    const used = await fetch(`${rig.box.address}/api/v1/lines`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(used.status).toBe(200)
    await page.getByRole('button', { name: 'I have kept it' }).click()
    await page.reload()
    await row.getByText('ago', { exact: false }).waitFor()
    expect(await page.getByText(token).count()).toBe(0)
    await page.getByRole('button', { name: 'Revoke the token monitoring' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('No tokens yet').waitFor()
    await close()
  })

  it('says that a contact is gone which somebody removed while it was edited, and makes none anew', async () => {
    await rig.box.call('PUT', '/api/v1/contacts/vera', { name: 'Vera', sms: '+491701234560' })
    const { page, close } = await openPanel(browser, rig.box.address, '/people')
    await page.getByRole('button', { name: 'Edit Vera' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('Vera the Second')
    await rig.box.call('DELETE', '/api/v1/contacts/vera')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('There is no contact "vera", or not any more; nothing was changed.').waitFor()
    expect((await rig.box.call('GET', '/api/v1/contacts')).body['items']).toEqual([])
    await close()
  })

  it('takes a table of contacts only when all of it is right, and shows which lines are not', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/people/import')
    const file = page.getByLabel('File')
    const csv = (text: string, name = 'staff.csv') => ({
      name,
      mimeType: 'text/csv',
      buffer: Buffer.from(text),
    })
    await file.setInputFiles(
      csv('id,name,sms\nops,Operations,+491701234567\n9x,Bad,none\nnight,Night shift,12x\n'),
    )
    await page
      .getByText(/\d problems? in the table/)
      .first()
      .waitFor()
    const third = page.getByRole('row', { name: /9x,Bad,none/ })
    await third.getByText('3', { exact: true }).waitFor()
    await third.getByText('9x', { exact: false }).last().waitFor()
    expect((await rig.box.call('GET', '/api/v1/contacts')).body['items']).toEqual([])
    expect(await page.getByRole('button', { name: /^Take/ }).count()).toBe(0)

    await file.setInputFiles({ ...csv(''), buffer: Buffer.from([0xff, 0xfe, 0x41]) })
    await page.getByText('The file is not in UTF-8.', { exact: false }).waitFor()

    await file.setInputFiles(
      csv('id,name,sms,groups\nops,Operations,+491701234567,night\nmia,Mia Müller,+491701234568,night\n'),
    )
    await page.getByText('The table is good.').waitFor()
    await page.getByText('2: ops, mia').waitFor()
    await page.getByRole('button', { name: 'Take 2 contacts' }).click()
    await page
      .getByRole('row', { name: /Mia Müller/ })
      .getByText('night')
      .waitFor()
    await page.getByLabel('Search').fill('müller')
    await page.getByText('1 shown of 2').waitFor()
    await page.getByRole('button', { name: 'Edit Mia Müller' }).click()
    await page.getByRole('dialog').getByLabel('Number').fill('no number')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').locator('.field-wrong').getByText('no number', { exact: false }).waitFor()
    await page.getByRole('dialog').getByLabel('Number').fill('+49 170 7654321')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await page
      .getByRole('row', { name: /Mia Müller/ })
      .getByText('+49 170 7654321')
      .waitFor()
    await close()
  })

  it('verifies the audit log and shows who did what', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/records')
    await page.getByText('Every chain is unbroken, and all copies agree.').waitFor()
    await page
      .getByRole('row', { name: /token-revoked/ })
      .first()
      .waitFor()
    await close()
  })

  // The last one: the appliance starts anew with what it had then, at another port.
  it('makes a backup, and brings everything back from it', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/configuration/backup')
    const make = page.locator('.card', { has: page.getByRole('heading', { name: 'Make a backup' }) })
    await make.getByLabel('Passphrase', { exact: true }).fill('too short')
    await make.getByRole('button', { name: 'Make and download' }).click()
    await make.getByText('The passphrase needs at least 10 characters.').waitFor()
    await make.getByLabel('Passphrase', { exact: true }).fill(password)
    await make.getByLabel('Passphrase, once more').fill(password)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      make.getByRole('button', { name: 'Make and download' }).click(),
    ])
    expect(download.suggestedFilename()).toMatch(/^twinline-box-a-.*\.backup$/)
    const file = await download.path()
    await rig.box.call('PUT', '/api/v1/contacts/later', { sms: '+491701234569' })

    const restore = page.locator('.card', { has: page.getByRole('heading', { name: 'Restore' }) })
    await restore.getByLabel('Backup file').setInputFiles(file)
    await restore.getByLabel('Passphrase', { exact: true }).fill('not the passphrase')
    await restore.getByRole('button', { name: 'Restore this backup' }).click()
    await restore.locator('.field-error, .notice-bad').first().waitFor()
    await restore.getByLabel('Passphrase', { exact: true }).fill(password)
    await restore.getByRole('button', { name: 'Restore this backup' }).click()
    await page.getByText('The backup of box-a is restored').waitFor({ timeout: 20_000 })
    await until(async () => {
      const { body } = await rig.box.call('GET', '/api/v1/contacts').catch(() => ({ body: {} }))
      return JSON.stringify(body).includes('"mia"') && !JSON.stringify(body).includes('"later"')
    }, 'what was made after the backup is gone')
    await close()
  }, 60_000)
})
