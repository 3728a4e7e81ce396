/**
 * Pictures of the panel: a pair with some traffic, looked at by an administrator.
 *
 *   node test/panel/screenshots.ts             the few that docs/panel.md shows, into docs/panel/
 *   node test/panel/screenshots.ts DIRECTORY [de]   every page, on a desk and on a phone, light and dark, to be looked
 *                                                   at; whole pages, and in German where that is asked for
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { until } from '../system/appliance.ts'
import { openBrowser, openPanel, password, setupCode } from './browser.ts'
import { joined, type PairRig, startPair } from './pair-rig.ts'

const root = join(import.meta.dirname, '..', '..')

const sizes = {
  desk: { width: 1280, height: 860 },
  phone: { width: 360, height: 740 },
} as const
type Size = keyof typeof sizes
type Scheme = 'light' | 'dark'

interface Picture {
  path: string
  size: Size
  scheme: Scheme
}

const shown: readonly Picture[] = [
  { path: '/', size: 'desk', scheme: 'light' },
  { path: '/', size: 'phone', scheme: 'dark' },
  { path: '/lines', size: 'desk', scheme: 'dark' },
  { path: '/queue', size: 'desk', scheme: 'light' },
  { path: '/queue', size: 'phone', scheme: 'light' },
  { path: '/queue/:id', size: 'desk', scheme: 'light' },
  { path: '/pair', size: 'desk', scheme: 'light' },
  { path: '/pair', size: 'phone', scheme: 'dark' },
  { path: '/pair/settings', size: 'desk', scheme: 'dark' },
  { path: '/configuration', size: 'desk', scheme: 'light' },
]

function everything(): Picture[] {
  const routes = readFileSync(join(root, 'src', 'panel', 'shell', 'routes.ts'), 'utf8')
  const paths = [...routes.matchAll(/path: '([^']+)'/g)].map(([, path]) => path ?? '')
  return paths
    .filter((path) => path !== '/login' && path !== '/setup')
    .flatMap((path) =>
      (['desk', 'phone'] as const).flatMap((size) =>
        (['light', 'dark'] as const).map((scheme) => ({ path, size, scheme })),
      ),
    )
}

const texts = [
  'Pump 3 in the cellar has stopped',
  'Temperature in server room 2: 31 °C, limit 27 °C',
  'East gate open for 15 minutes',
  'Backup of the night finished, 2 warnings',
  'UPS 1 runs on battery, 18 minutes left',
]

/** @returns the message whose page is shown */
async function fill(rig: PairRig): Promise<string> {
  const box = rig.a.running()
  const put = (path: string, body: unknown) => box.call('PUT', `/api/v1${path}`, body)
  await put('/contacts/ann', { name: 'Ann Example', sms: '+491705550101' })
  await put('/contacts/ben', { name: 'Ben Example', sms: '+491705550102' })
  await put('/groups/on-call', { name: 'On call', members: ['ann', 'ben'] })
  let id = ''
  for (let n = 0; n < 24; n += 1) {
    const { body } = await box.call('POST', '/api/v1/messages', {
      to: n % 4 === 3 ? ['on-call'] : [`+4917055501${10 + n}`],
      text: texts[n % texts.length],
      tag: 'building',
    })
    if (n % 4 === 3) id = String(body['id'])
  }
  await until(async () => {
    const { body } = await box.call('GET', '/api/v1/status')
    return Number(Object(body['queue'])['queued']) === 0
  }, 'everything is sent')
  return id
}

async function setUp(rig: PairRig): Promise<void> {
  const box = rig.a.running()
  const names = [
    [rig.a, 'Berlin, cellar'],
    [rig.b, 'Berlin, attic'],
  ] as const
  await box.call('POST', '/api/v1/setup', { code: setupCode(box), name: 'admin', password })
  for (const [one, name] of names) await one.running().call('PUT', '/api/v1/appliance', { name })
}

const nameOf = ({ path, size, scheme }: Picture, all: boolean): string => {
  const page = path === '/' ? 'home' : path.slice(1).replace(':id', 'message').replaceAll('/', '-')
  return all ? `${page}-${size}-${scheme}.png` : `${page}-${size}.png`
}

async function take(browser: Browser, address: string, message: string, directory: string, all: boolean) {
  const pictures = all ? everything() : shown
  const locale = process.argv[3] === 'de' ? 'de-DE' : 'en-GB'
  for (const size of ['desk', 'phone'] as const) {
    const look = { viewport: sizes[size], reducedMotion: 'reduce', locale } as const
    const view = await openPanel(browser, address, '/', look)
    for (const picture of pictures.filter((one) => one.size === size)) {
      await view.page.emulateMedia({ colorScheme: picture.scheme })
      await view.page.goto(address + picture.path.replace(':id', message))
      await view.page.locator('h1').first().waitFor()
      await view.page.locator('.skeleton').first().waitFor({ state: 'detached' })
      await view.page.evaluate('document.fonts.ready')
      await view.page.screenshot({ path: join(directory, nameOf(picture, all)), fullPage: all })
    }
    await view.close()
  }
}

const given = process.argv[2]
const directory = given ?? join(root, 'docs', 'panel')
mkdirSync(directory, { recursive: true })
// A network of its own, so that two may make pictures at a time.
const [browser, rig] = await Promise.all([openBrowser(), startPair(100 + (process.pid % 100))])
try {
  await setUp(rig)
  await joined(rig)
  await take(browser, rig.a.address, await fill(rig), directory, given !== undefined)
} finally {
  await browser.close()
  await rig.stop()
}
