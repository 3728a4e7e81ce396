/** twinline config as a user runs it: against a stand-in, on a store while the appliance is down, and while it runs. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { config } from '#cli/config.ts'
import { UsageError } from '#cli/outcome.ts'
import { start, twinline } from './program.ts'
import { closedUrl, type Reply, standIn } from './stand-in.ts'

const at = '2026-11-21T09:00:00.000Z'
const ok = (body: unknown): Reply => ({ status: 200, body })
const problem = (status: number, code: string): Reply => ({
  status,
  body: { status, code, detail: 'because' },
})

const settings = {
  items: [
    { path: 'routes', value: [{ match: '*', lines: ['gsm0'], cost: 0 }], source: 'file' },
    { path: 'validity', value: '2h', source: 'revision', revision: 'r1', author: 'http:ada', at },
    { path: 'retention.queue', value: '7d', source: 'default' },
    { path: 'retention.archive', value: '400d', source: 'default' },
  ],
  problems: [{ path: 'routes[0].lines[0]', text: 'this appliance has no line "gsm0"' }],
}

test('it explains itself, and says what is wrong with what was typed', async () => {
  expect((await twinline(['config', '--help'])).stdout).toContain('twinline config restore ID')
  for (const [words, text] of [
    [[], /say what to do: get, set/],
    [['set', 'validity'], /give a path and a value/],
    [['set', 'validity', '2h', 'more'], /unexpected "more"/],
    [['set', 'validity', '2h', '--file'], /unexpected "2h"/],
    [['get', '--file'], /--file belongs to set/],
    [['set', 'validity', '2h', '--before'], /--before belongs to restore/],
    [['history', '--limit', 'x'], /--limit wants a number/],
    [['restore'], /give the id of a revision/],
  ] as const) {
    const wrong = await config([...words]).catch((error: unknown) => error)
    expect(wrong).toBeInstanceOf(UsageError)
    expect(String(wrong)).toMatch(text)
  }
})

test('get prints where each value comes from, or one value alone', async () => {
  const host = await standIn(() => ok(settings))
  const all = await twinline(['config', 'get', '--host', host.url])
  expect(all.code).toBe(0)
  const rows = all.stdout
    .trimEnd()
    .split('\n')
    .map((row) => row.split(/ {2,}/))
  expect(rows[0]).toEqual(['setting', 'value', 'source', 'by', 'when'])
  expect(rows[1]).toEqual(['routes', '[{"match":"*","lines":["gsm0"],"cost":0}]', 'file'])
  expect(rows[2]?.slice(0, 4)).toEqual(['validity', '2h', 'revision', 'http:ada'])
  expect(rows[3]).toEqual(['retention.queue', '7d', 'default'])
  expect(rows[5]?.[0]).toBe('problem: routes[0].lines[0]: this appliance has no line "gsm0"')
  expect((await twinline(['config', 'get', 'validity', '--host', host.url])).stdout).toBe('2h\n')
  const both = await twinline(['config', 'get', 'retention', '--host', host.url, '--json'])
  expect(JSON.parse(both.stdout)).toHaveLength(2)
  const none = await twinline(['config', 'get', 'node', '--host', host.url])
  expect(none).toMatchObject({ code: 1 })
  expect(none.stderr).toMatch(/no shared setting "node"; there are: routes, validity/)
})

test.each([
  ['2h', '2h'],
  ['0123', '0123'],
  ['"5', '"5'],
  ['[{match: "+49*", lines: [gsm0]}]', [{ match: '+49*', lines: ['gsm0'] }]],
])('set sends %s as %j, and shows what was changed entry by entry', async (typed, sent) => {
  const old = { match: '*', lines: ['gsm0'], cost: 0 }
  const changes = [{ path: 'routes', before: [old, { match: '1' }], after: [old, { match: '2' }] }]
  const host = await standIn(() => ok({ revision: { id: 'r2', at, author: 'local', changes } }))
  const ran = await twinline(['config', 'set', 'routes', typed, '--host', host.url, '--token', 't'])
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  expect(ran.stdout).toBe('revision r2\nroutes\n  - {"match":"1"}\n  + {"match":"2"}\n')
  expect(host.asked).toMatchObject([{ method: 'PATCH', path: '/api/v1/config', body: { routes: sent } }])
})

test('the other changes send what they mean', async () => {
  const host = await standIn(({ path }) => (path.endsWith('dismiss') ? { status: 204, body: '' } : ok({})))
  const run = (...words: string[]) => twinline(['config', ...words, '--host', host.url])
  expect((await run('set', 'validity', '--file')).stdout).toMatch(/nothing to change/)
  await run('restore', 'r1')
  await run('restore', 'r1', 'validity', '--before')
  expect(await run('dismiss', 'r1', 'validity')).toMatchObject({ code: 0, stdout: '' })
  expect(host.asked.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['PATCH', '/api/v1/config', { validity: null }],
    ['POST', '/api/v1/config/restore', { revision: 'r1', value: 'after' }],
    ['POST', '/api/v1/config/restore', { revision: 'r1', path: 'validity', value: 'before' }],
    ['POST', '/api/v1/config/dismiss', { revision: 'r1', path: 'validity' }],
  ])
})

test.each([
  [problem(400, 'setting-invalid'), 1],
  [problem(503, 'no-active'), 3],
  [problem(504, 'forward-unanswered'), 4],
  ['hangUp' as const, 4],
])('a change that ends with %j ends with %i, and is tried on one appliance only', async (reply, code) => {
  const host = await standIn(() => reply)
  const other = await standIn(() => ok({}))
  const ran = await twinline(['config', 'set', 'validity', '2h', '--host', host.url, other.url])
  expect(ran).toMatchObject({ code, stdout: '' })
  expect(other.asked).toEqual([])
})

test('nobody there is told as such', async () => {
  const ran = await twinline(['config', 'set', 'validity', '2h', '--host', await closedUrl()])
  expect(ran).toMatchObject({ code: 3 })
})

test('conflicts come with what to type', async () => {
  const item = {
    revision: 'r1',
    path: 'validity',
    value: '2h',
    author: 'ada',
    at,
    node: 'box-b',
    against: 'r2',
  }
  const host = await standIn(() => ok({ items: [{ ...item, holds: '3h' }] }))
  const ran = await twinline(['config', 'conflicts', '--host', host.url])
  expect(ran.stdout).toMatch(/^validity: 2h {2}\(by ada on box-b, .*\)\n {2}holds: 3h\n/)
  expect(ran.stdout).toContain('twinline config restore r1 validity, or dismiss r1 validity')
})

function configured(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'twinline-')), 'twinline.yaml')
  writeFileSync(
    file,
    'node: box-a\ndata: data\nvalidity: 1h\nlines: [{ id: gsm0, kind: gsm, port: "sim://gsm" }]\nhttp: { listen: "127.0.0.1:0" }\n',
  )
  return file
}

test('it works while the appliance is down and while it runs, and check says what the file no longer decides', async () => {
  const file = configured()
  const run = (...words: string[]) => twinline(['config', ...words, '--config', file])
  expect(await run('get', 'validity')).toMatchObject({ code: 0, stdout: '1h\n', stderr: '' })
  const down = await run('set', 'validity', '120m')
  expect(down).toMatchObject({ code: 0, stderr: '' })
  expect(down.stdout).toMatch(/^revision \S+\nvalidity\n {2}- 1h\n {2}\+ 2h\n$/)
  const refused = await run('set', 'validity', '2y')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toMatch(/validity: "2y" is not allowed here; write a span/)

  const running = start(['run', '--config', file])
  onTestFinished(() => void running.child.kill('SIGKILL'))
  await running.printed('started')
  expect((await run('get', 'validity')).stdout).toBe('2h\n')
  const up = await run('set', 'log.level', 'warn', '--json')
  expect(JSON.parse(up.stdout).revision).toMatchObject({
    author: 'local',
    changes: [{ path: 'log.level', before: 'info', after: 'warn' }],
  })
  const history = JSON.parse((await run('history', '--json')).stdout)
  expect(history).toMatchObject([{ author: 'local', node: 'box-a' }, { author: 'local' }])
  const checked = await twinline(['check', '--config', file])
  expect(checked.stdout).toMatch(/validity: a revision of .* by local goes before this file: "2h"/)
  expect((await run('restore', history[1].id, '--before')).stdout).toMatch(/- 2h\n {2}\+ 1h/)
  expect((await run('conflicts')).stdout).toBe('no conflicts\n')

  running.child.kill('SIGTERM')
  const { code, stdout } = await running.ended
  expect(code).toBe(0)
  // The new level held at once.
  expect(stdout).not.toContain('"stopping"')
  expect((await run('get', 'validity')).stdout).toBe('1h\n')
}, 60_000)
