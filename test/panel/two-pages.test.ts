/**
 * What is changed on one member shows on a page that is open at the other one, without a reload: users and roles, tokens,
 * contacts, the audit log, a change of a member's own file on trial; and what a message waits for there.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeWith } from '../requirements.ts'
import { openBrowser, openPanel, password, setUp, type View } from './browser.ts'
import { joined, makeActive, type PairRig, startPair } from './pair-rig.ts'

/** An appliance that starts anew, on a machine that may have other things to do. */
const PATIENCE = { timeout: 30_000 }
vi.setConfig({ testTimeout: 90_000 })

describeWith(['chromium'], 'two pages of a pair', () => {
  let browser: Browser
  let rig: PairRig
  let far: View

  beforeAll(async () => {
    ;[browser, rig] = await Promise.all([openBrowser(), startPair(97)])
    await setUp(rig.a.running(), 'Berlin, cellar')
    await joined(rig)
    far = await openPanel(browser, rig.b.address, '/people/users')
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await rig.stop()
  })

  /** On the active member. */
  const call = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await rig.a.running().call(method, `/api/v1${path}`, body)
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  /** The page hears what happens from here on. */
  const go = async (path: string): Promise<void> => {
    const heard = far.page.waitForResponse((response) => response.url().endsWith('/api/v1/events'))
    await far.page.goto(rig.b.address + path)
    await heard
  }
  const appears = (text: string | RegExp) => far.page.getByText(text).first().waitFor(PATIENCE)
  const goes = (text: string) =>
    far.page
      .getByText(text)
      .first()
      .waitFor({ state: 'detached', ...PATIENCE })

  it('show users that come and go', async () => {
    await call('POST', '/users', { name: 'erika', password, role: 'viewer' })
    await appears('erika')
    await call('DELETE', '/users/erika')
    await goes('erika')
  })

  it('show tokens that come and go', async () => {
    await go('/people/tokens')
    const { id } = await call('POST', '/tokens', { name: 'monitoring', scopes: ['send'] })
    await appears('monitoring')
    await call('DELETE', `/tokens/${String(id)}`)
    await goes('monitoring')
  })

  it('show contacts that come and go', async () => {
    await go('/people')
    await call('PUT', '/contacts/ops', { name: 'Operations', sms: '+491701234567' })
    await appears('Operations')
    await call('DELETE', '/contacts/ops')
    await goes('Operations')
  })

  it('offer what another role may, as soon as somebody gives it', async () => {
    await call('POST', '/users', { name: 'anna', password, role: 'viewer' })
    const anna = await openPanel(browser, rig.b.address, '/people/me', { user: 'anna' })
    const users = anna.page.getByRole('link', { name: 'Users' })
    expect(await users.count()).toBe(0)
    await call('PATCH', '/users/anna', { role: 'admin' })
    await users.first().waitFor(PATIENCE)
    await call('DELETE', '/users/anna')
    await anna.page.getByLabel('Password').first().waitFor(PATIENCE)
    await anna.close()
  })

  it('show new records of the audit log on top', async () => {
    await go('/records?node=box-a')
    await far.page.getByRole('cell').first().waitFor(PATIENCE)
    await call('POST', '/users', { name: 'berta', password, role: 'viewer' })
    await appears('berta is viewer')
    await call('DELETE', '/users/berta')
    await appears('berta was removed')
  })

  it('show a change of a member’s own file on trial, and that it was kept', async () => {
    await go('/configuration/appliance?node=box-a')
    await far.page.getByRole('navigation', { name: 'Sections' }).waitFor(PATIENCE)
    const bar = far.page.getByRole('region', { name: 'On trial: confirm to keep it' })
    const unchanged = far.page.getByText('The program has not changed this file yet.')
    await unchanged.waitFor(PATIENCE)
    expect(await bar.count()).toBe(0)
    await call('PUT', '/own-configuration', {
      changes: { 'pair.profile.restart': '1s' },
      confirmWithin: '80s',
    })
    await bar.waitFor(PATIENCE)
    await vi.waitFor(() => call('POST', '/own-configuration/confirm'), { timeout: 30_000, interval: 500 })
    await bar.waitFor({ state: 'detached', ...PATIENCE })
    await unchanged.waitFor({ state: 'detached', ...PATIENCE })
  })

  it('say what a message waits for that the other member sends', async () => {
    // It was away, to start anew.
    await makeActive(rig.a)
    const { items } = await call('GET', '/lines')
    const line: unknown = Array.isArray(items) ? items[0]?.id : undefined
    await call('POST', `/lines/${String(line)}/mute`, { for: '1h' })
    const { id } = await call('POST', '/messages', { to: ['+491705550001'], text: 'Pump 3' })
    await go(`/queue/${String(id)}`)
    await appears(/The line is muted|Muted/)
    await call('POST', `/lines/${String(line)}/unmute`)
  })

  it('have found no fault meanwhile', () => {
    expect(far.faults).toEqual([])
  })
})
