/**
 * The panel built as `npm start` builds it, and served as an appliance serves it. What is loaded first is added up as a
 * browser would load it: the page, what it names, and what those files import at once.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Appliance, answerOf, startAppliance } from '../intake/http/stand-ins.ts'

interface Build {
  buildPanel(options: { out?: string; force?: boolean }): Promise<{ built: boolean; ms: number }>
}

let out: string
let appliance: Appliance
let buildPanel: Build['buildPanel']

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'panel-'))
  // Plain JavaScript, because it runs before our own Node is there.
  const script: Build = await import(join(import.meta.dirname, '..', '..', '.ci', 'build-panel.mjs'))
  buildPanel = script.buildPanel
  await buildPanel({ out })
  appliance = await startAppliance({}, { panel: out })
})

afterAll(async () => {
  await appliance.stop()
  await rm(out, { recursive: true, force: true })
})

const get = async (path: string, headers: Record<string, string> = {}) =>
  answerOf(await fetch(appliance.base + path, { headers }))

const named = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '')

test('it is built once, and again only when something has changed', async () => {
  expect((await buildPanel({ out })).built).toBe(false)
  const before = await readdir(join(out, 'assets'))
  expect((await buildPanel({ out, force: true })).built).toBe(true)
  // The same sources make the same names, so browsers keep what they have.
  expect(await readdir(join(out, 'assets'))).toEqual(before)
})

test('files that no page names any more are gone after the next build', async () => {
  await writeFile(join(out, 'assets', 'old-ABCDEFGH.js'), 'gone')
  await buildPanel({ out, force: true })
  expect(await readdir(join(out, 'assets'))).not.toContain('old-ABCDEFGH.js')
})

test('the page is plain: what it loads is named by src and href, and nothing stands in it', async () => {
  const page = await get('/')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('cache-control')).toBe('no-cache')
  expect(named(page.text).some((path) => path.endsWith('.js'))).toBe(true)
  expect(page.text).not.toMatch(/<script(?![^>]* src=)/)
  expect(page.text).not.toMatch(/<style|\son\w+=|\sstyle=/)
})

test('its policy lets nothing run that did not come from the appliance', async () => {
  const { headers } = await get('/')
  const policy = headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|\*|http:|https:/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
})

const loads = ['/', '/login'].flatMap((path) => ['en', 'de'].map((language) => ({ path, language })))

test.each(loads)('the first load of $path is at most 40 kB compressed in $language', async (load) => {
  const page = await get(load.path, { 'accept-language': load.language })
  const linked = (page.headers.get('link') ?? '').matchAll(/<(\/assets\/[^>]+)>/g)
  const waiting = [...named(page.text), ...[...linked].map(([, path]) => path ?? '')]
  const seen = new Set<string>()
  let bytes = page.text.length
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    const packed = await readFile(join(out, `${path}.gz`))
    bytes += packed.length
    // Static imports are loaded at once; import() waits for somebody who wants to see that page.
    const code = path.endsWith('.js') ? gunzipSync(packed).toString() : ''
    for (const [, name] of code.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) waiting.push(`/assets/${name}`)
  }
  expect(bytes).toBeLessThanOrEqual(40_000)
  expect([...seen].join()).toContain(`.${load.language}-`)
  expect([...seen].join()).not.toMatch(/uplot/i)
})

test('files are kept for good by whoever has loaded them, and travel compressed', async () => {
  const path = named((await get('/')).text).find((one) => one.endsWith('.js')) ?? ''
  const packed = await fetch(appliance.base + path, { headers: { 'accept-encoding': 'br, gzip' } })
  expect(packed.headers.get('content-encoding')).toBe('gzip')
  expect(packed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(packed.headers.get('vary')).toBe('accept-encoding')
  expect(packed.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(packed.headers.get('x-content-type-options')).toBe('nosniff')
  const code = await packed.text()
  expect(code).toBe(await readFile(join(out, path), 'utf8'))
  const plain = await fetch(appliance.base + path, { headers: { 'accept-encoding': 'identity, gzip;q=0' } })
  expect(plain.headers.get('content-encoding')).toBeNull()
  expect(await plain.text()).toBe(code)
  const again = await get(path, { 'if-none-match': packed.headers.get('etag') ?? '' })
  expect(again).toMatchObject({ status: 304, text: '' })
})

test('what a page routes by itself is the page', async () => {
  const { text } = await get('/')
  const source = await readFile(new URL('../../src/panel/shell/routes.ts', import.meta.url), 'utf8')
  const routes = [...source.matchAll(/path: '([^']+)'/g)].map(([, path]) => path ?? '')
  expect(routes).toContain('/queue/:id')
  for (const path of routes) expect(await get(path), path).toMatchObject({ status: 200, text })
  expect(await get('/login?next=%2Fqueue')).toMatchObject({ status: 200, text })
  expect(await get('/nothing')).toMatchObject({ status: 404, json: { code: 'route-unknown' } })
  const page = await get('/', {})
  expect(await get('/queue', { 'if-none-match': page.headers.get('etag') ?? '' })).toMatchObject({
    status: 304,
  })
})

test('what a page loads besides is named in advance, in the language that is asked for', async () => {
  const linked = async (path: string, language: string) =>
    [
      ...((await get(path, { 'accept-language': language })).headers.get('link') ?? '').matchAll(
        /<([^>]+)>; rel=modulepreload/g,
      ),
    ].map(([, file]) => file ?? '')
  const german = await linked('/configuration?x=1', 'de-DE,de;q=0.9,en;q=0.8')
  expect(german.join()).toMatch(/\/form-page-.*\/configuration\.de-/)
  expect(german.join()).not.toContain('.en-')
  expect((await linked('/configuration', 'fr')).join()).toContain('/configuration.en-')
  expect((await linked('/queue/0123', 'en')).join()).toContain('/message-page-')
  expect(await linked('/queue/0123/more', 'en')).toEqual([])
  for (const path of german) expect((await get(path)).status).toBe(200)
})

test('what a page asks for first is known to the appliance, which puts the answers into the page', async () => {
  const early: Record<string, { asks: string[] }> = JSON.parse(
    await readFile(join(out, 'early.json'), 'utf8'),
  )
  expect(early['/queue/:id']?.asks).toEqual(['/messages/:id'])
  expect(early['/people']?.asks).toEqual(['/contacts', '/groups'])
  // Who the browser is has to be asked where nobody is logged in.
  expect((await get('/people')).headers.get('link')).toContain('</api/v1/session>; rel=preload; as=fetch')
})

test('nothing else than what was built is under /assets', async () => {
  const inside = ['/assets/', '/assets/nothing.js', '/assets/.built', '/assets/%2e%2e%2findex.html']
  for (const path of [...inside, '/assets/..%2f.built', '/assets/%2fetc%2fpasswd', '/assets/a%00.js'])
    expect(await get(path)).toMatchObject({ status: 404, json: { code: 'route-unknown' } })
})

test('a build under a running appliance is served at once', async () => {
  const index = join(out, 'index.html')
  const before = await readFile(index, 'utf8')
  const first = await get('/')
  await writeFile(index, before.replace('<title>twinline', '<title>other'))
  const second = await get('/', { 'if-none-match': first.headers.get('etag') ?? '' })
  expect(second.status).toBe(200)
  expect(second.text).toContain('<title>other')
  await writeFile(index, before)
})

test('an appliance whose panel was not built says so, and how to build it', async () => {
  const bare = await startAppliance({}, { panel: join(out, 'nowhere') })
  const page = await answerOf(await fetch(bare.base))
  expect(page.status).toBe(503)
  expect(page.text).toContain('npm run build')
  await bare.stop()
})
