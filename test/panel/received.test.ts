/** What rules bring about for received messages, in a real browser: done, given up with its reason, and tried again. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type HookSink, startHookSink } from '../notify/sinks.ts'
import { describeWith } from '../requirements.ts'
import { openBrowser, openPanel, type PanelRig, password, setUp, startRig } from './browser.ts'

vi.setConfig({ testTimeout: 60_000 })

describeWith(['chromium'], 'the inbox, and what is done about it', () => {
  let browser: Browser
  let hook: HookSink
  let rig: PanelRig

  beforeAll(async () => {
    ;[browser, hook] = await Promise.all([openBrowser(), startHookSink()])
    const webhook = `{ url: "${hook.url}", secret: "a secret of some length" }`
    rig = await startRig({
      more: `inbound: { webhook: ${webhook}, rules: [{ from: "+49*", do: { webhook: true } }] }\n`,
    })
    await rig.box.ready(1)
    await setUp(rig.box)
    for (const role of ['operator', 'viewer'])
      await rig.box.call('POST', '/api/v1/users', { name: role, password, role })
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await Promise.all([rig.stop(), hook.stop()])
  })

  it('names what was given up and why, and has it tried again', async () => {
    const { page, faults, close } = await openPanel(browser, rig.box.address, '/inbox', { user: 'operator' })
    hook.script.push(422)
    rig.network.send('line0', { from: '+491701112233', text: 'On my way' })
    const row = page.getByRole('table', { name: 'Given up' }).getByRole('row', { name: /\+491701112233/ })
    await row.getByText('The receiver answered 422.').waitFor()

    await page.getByRole('button', { name: 'On my way' }).click()
    const told = page.getByRole('dialog').getByRole('table', { name: 'What was done about it' })
    await told.getByText('Webhook').waitFor()
    await told.getByText('Given up').waitFor()
    await told.getByRole('button', { name: 'Try again' }).click()
    await told.getByText('Done').waitFor()
    expect(hook.calls).toHaveLength(2)
    await page.keyboard.press('Escape')
    await page.getByRole('table', { name: 'Given up' }).waitFor({ state: 'detached' })

    rig.network.send('line0', { from: '+43660111', text: 'Hello' })
    await page.getByRole('button', { name: 'Hello' }).click()
    await page.getByRole('dialog').getByText('No rule fits it.').waitFor()
    expect(faults).toEqual([])
    await close()
  })

  it('lets who may only look do no more than that', async () => {
    const { page, close } = await openPanel(browser, rig.box.address, '/inbox', { user: 'viewer' })
    hook.script.push(400)
    rig.network.send('line0', { from: '+491701112244', text: 'Too late' })
    await page.getByRole('table', { name: 'Given up' }).getByText('+491701112244').waitFor()
    expect(await page.getByRole('button', { name: 'again' }).count()).toBe(0)
    await close()
  })
})
