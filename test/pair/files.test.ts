/** Files of another member, from whichever one answers: its support bundle, its backup, and the bundles of all. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { unzipSync } from 'fflate'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { verifyBackup } from '#store/restore.ts'
import { twinline } from '../cli/program.ts'
import { until } from '../system/appliance.ts'
import { modem, PATIENCE_MS, type PairBox, pairOf } from './boxes.ts'

const passphrase = 'correct horse battery'
const net = () => 1 + Math.floor(Math.random() * 254)

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'files-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

interface Pair {
  a: PairBox
  b: PairBox
  urlA: string
  /** A request to box-a over HTTP. */
  fetchA(method: string, path: string, token: string, body?: unknown): Promise<Response>
  token(...scopes: string[]): Promise<string>
}

async function pair(): Promise<Pair> {
  const hosts = `127.${net()}.${net()}`
  const [urlA, urlB] = [`http://${hosts}.1:8080`, `http://${hosts}.2:8080`]
  const plan = async (url: string) => ({
    lines: [`{ id: gsm0, kind: gsm, port: '${(await modem('20')).address}', reports: false }`],
    more: `http: { listen: '${new URL(url).host}' }\n`,
  })
  const [a, b] = await pairOf(await plan(urlA), await plan(urlB))
  return {
    a,
    b,
    urlA,
    fetchA: (method, path, token, body) =>
      fetch(`${urlA}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    token: async (...scopes) =>
      String((await a.ask('POST', '/tokens', { name: scopes.join('-'), scopes })).body['token']),
  }
}

const filesOf = async (bytes: ArrayBuffer | Uint8Array) => unzipSync(new Uint8Array(bytes))
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()
const whose = (bundle: Uint8Array | undefined) =>
  JSON.parse(text(unzipSync(bundle ?? new Uint8Array())['versions.json'])).node
const audited = async (box: PairBox, what: string) => {
  const { items } = (await box.ask('GET', '/audit')).body
  return (Array.isArray(items) ? items : []).filter((record) => record.what === what).map(({ who }) => who)
}

test('the support bundle of another member, and of all; what cannot be had is named', {
  timeout: 180_000,
}, async () => {
  const { a, b, fetchA, token } = await pair()
  const admin = await token('admin')
  const other = await fetchA('GET', '/support?node=box-b', admin)
  expect(other.status).toBe(200)
  expect(other.headers.get('content-type')).toBe('application/zip')
  expect(other.headers.get('content-disposition')).toMatch(/"twinline-box-b-[0-9-]+\.zip"/)
  expect(other.headers.get('twinline-member')).toContain('box-a')
  const files = await filesOf(await other.arrayBuffer())
  expect(JSON.parse(text(files['versions.json'])).node).toBe('box-b')
  expect(text(files['configuration.yaml'])).toContain('node: box-b')
  expect(await audited(b, 'support-made')).toEqual(['http:admin'])
  expect(await audited(a, 'support-made')).toEqual([])

  const all = await fetchA('GET', '/support?node=*', admin)
  expect(all.headers.get('content-disposition')).toMatch(/"twinline-all-members-[0-9-]+\.zip"/)
  const bundles = await filesOf(await all.arrayBuffer())
  expect(Object.keys(bundles).sort()).toEqual(['box-a.zip', 'box-b.zip'])
  expect([whose(bundles['box-a.zip']), whose(bundles['box-b.zip'])]).toEqual(['box-a', 'box-b'])

  expect((await fetchA('GET', '/support?node=box-b', await token('operate', 'read'))).status).toBe(403)
  const unknown = await fetchA('GET', '/support?node=box-c', admin)
  expect([unknown.status, await unknown.json()]).toMatchObject([
    503,
    { code: 'member-unreachable', field: 'node' },
  ])

  const file = join(home, 'all.zip')
  const config = join(dirname(dirname(a.controlSocket)), 'twinline.yaml')
  const command = (...words: string[]) =>
    twinline([...words, '--config', config], { input: `${passphrase}\n` })
  expect(await command('support', '--out', file, '--all')).toMatchObject({ code: 0 })
  expect(Object.keys(await filesOf(await readFile(file)))).toHaveLength(2)
  expect(await command('support', '--out', file, '--node', 'box-b')).toMatchObject({ code: 0 })
  expect(whose(await readFile(file))).toBe('box-b')
  expect(await command('backup', '--out', `${file}.backup`, '--node', 'box-b')).toMatchObject({ code: 0 })

  await b.kill()
  await a.sees('box-b', 'DEAD')
  const rest = await filesOf(await (await fetchA('GET', '/support?node=*', admin)).arrayBuffer())
  expect(Object.keys(rest).sort()).toEqual(['box-a.zip', 'missing.txt'])
  expect(text(rest['missing.txt'])).toMatch(/^box-b: .*cannot be reached/)
})

test('the backup of another member comes in pieces; one that nobody reads on does not stand in the way', {
  timeout: 180_000,
}, async () => {
  const { b, fetchA, token } = await pair()
  const admin = await token('admin')
  // Nothing of this can be made smaller, so that the backup takes many pieces.
  for (let n = 0; n < 120; n += 1) {
    const words = Array.from({ length: 10 }, () => randomBytes(90).toString('base64')).join(' ')
    await b.ask('POST', '/messages', { to: ['+4915112345'], text: words, validity: '1d' })
  }
  const backup = (node: string) => fetchA('POST', `/backup?node=${node}`, admin, { passphrase })
  const weak = await fetchA('POST', '/backup?node=box-b', admin, { passphrase: 'short' })
  expect([weak.status, await weak.json()]).toMatchObject([400, { field: 'passphrase' }])

  const given = await backup('box-b')
  expect(given.status).toBe(200)
  const reader = given.body?.getReader()
  expect((await reader?.read())?.value?.length).toBeGreaterThan(0)
  await reader?.cancel()
  const directory = dirname(b.controlSocket)
  const copies = async () => (await readdir(directory)).filter((name) => name.startsWith('backup-'))
  await until(async () => (await copies()).length === 0, 'the copy of the one given up is gone', PATIENCE_MS)

  const whole = await backup('box-b')
  expect(whole.headers.get('content-disposition')).toMatch(/"twinline-box-b-[0-9-]+\.backup"/)
  const bytes = Buffer.from(await whole.arrayBuffer())
  expect(bytes.length).toBeGreaterThan(90_000)
  await verifyBackup(Readable.from([bytes]), passphrase)
  expect(await audited(b, 'backup-made')).toEqual(['http:admin', 'http:admin'])
  expect(existsSync(b.controlSocket)).toBe(true)
  expect((await fetchA('POST', '/backup?node=*', admin, { passphrase })).status).toBe(503)
})
