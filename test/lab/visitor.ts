/**
 * A person's browser in the client's namespace: requests as browsers make them, an event stream that is listened to, and
 * a real Chromium that opens the panel at the common address. Does what its parent, the stage, orders over IPC.
 */
import { type Browser, chromium, type Page } from 'playwright-core'
import { errorText } from '#core/errors.ts'
import type { VisitorAnswer, VisitorOrder } from './contract.ts'

const REQUEST_MS = 10_000
const nothing: VisitorAnswer = { status: 0, headers: {}, cookies: [], text: '', over: false }

let heard = ''
let over = true
let browser: Browser | undefined
let page: Page | undefined
let expected: Promise<VisitorAnswer> | undefined

async function listen(url: string, headers: Record<string, string>): Promise<VisitorAnswer> {
  heard = ''
  over = false
  const response = await fetch(url, { headers })
  const reading = async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) heard += chunk
  }
  void reading()
    .catch(() => {})
    .finally(() => {
      over = true
    })
  return { ...nothing, status: response.status }
}

async function open(url: string, name: string, password: string): Promise<VisitorAnswer> {
  browser ??= await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Root of these namespaces, so it has no sandbox to use.
    args: ['--disable-gpu', '--disable-dev-shm-usage', '--no-sandbox'],
  })
  page = await browser.newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(url)
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  return { ...nothing, text: await page.title() }
}

async function see(where: string, text: string, withinMs: number): Promise<VisitorAnswer> {
  if (page === undefined) throw new Error('no page is open')
  const found = page.locator(where, { hasText: text }).first()
  await found.waitFor({ timeout: withinMs })
  return { ...nothing, text: (await found.textContent()) ?? '' }
}

async function perform(order: VisitorOrder): Promise<VisitorAnswer> {
  switch (order.do) {
    case 'request': {
      const { method, url, headers = {}, body } = order
      const answer = await fetch(url, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_MS),
      }).catch(() => undefined)
      if (answer === undefined) return nothing
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        cookies: answer.headers.getSetCookie(),
        text: await answer.text(),
        over: false,
      }
    }
    case 'listen':
      return listen(order.url, order.headers)
    case 'heard':
      return { ...nothing, text: heard, over }
    case 'open':
      return open(order.url, order.name, order.password)
    case 'see':
      return see(order.where, order.text, order.withinMs)
    case 'expect':
      expected = see(order.where, order.text, order.withinMs)
      // Told when it is asked for.
      expected.catch(() => {})
      return nothing
    case 'came':
      return (await expected) ?? nothing
  }
}

process.on('message', async (order: VisitorOrder) => {
  try {
    process.send?.({ answer: await perform(order) })
  } catch (error) {
    const screen = await page?.locator('body').textContent()
    process.send?.({ error: `${errorText(error)}\n${screen ?? ''}` })
  }
})
process.on('disconnect', () => {
  void (async () => {
    await browser?.close()
    process.exit()
  })()
})
process.send?.({ ready: true })
