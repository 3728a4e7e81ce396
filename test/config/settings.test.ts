/** The live settings on a log that a model keeps: what holds, who is told, what is refused, and two members that meet. */
import { expect, test } from 'vitest'
import { parseConfig } from '#config/load.ts'
import { createSettings } from '#config/settings.ts'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import { ModelLog } from './model-log.ts'

const single = `
node: box-a
lines: [{ id: gsm0, kind: gsm, port: "sim://gsm" }]
validity: 1h
`
const paired = (node: string, line: string, more = '') => `
node: ${node}
lines: [{ id: ${line}, kind: gsm, port: "sim://gsm" }]
pair: { listen: "127.0.0.1:0" }
${more}
`

async function start(text: string, store?: ModelLog) {
  const config = parseConfig(text, '/etc/twinline/twinline.yaml')
  const log = store ?? new ModelLog(config.node)
  const told: unknown[] = []
  const settings = await createSettings({ config, store: log, clock: systemClock(0), log: silent })
  settings.subscribe((current) => told.push(current))
  return { settings, log, told }
}

test('the file gives values until a revision does, and says which', async () => {
  const { settings, told, log } = await start(single)
  const source = (path: string) => settings.values().find((one) => one.path === path)
  expect(source('validity')).toEqual({ path: 'validity', value: '1h', source: 'file' })
  expect(source('reserve')).toEqual({ path: 'reserve', value: '16MB', source: 'default' })
  expect(settings.head()).toBeUndefined()

  const result = await settings.set([{ path: 'validity', value: '7200s' }], 'http:ada')
  expect(result).toMatchObject({
    result: 'changed',
    revision: { author: 'http:ada', changes: [{ path: 'validity', before: '1h', after: '2h' }] },
  })
  expect(source('validity')).toMatchObject({
    value: '2h',
    source: 'revision',
    revision: { author: 'http:ada' },
  })
  expect(settings.current().validity).toBe(7_200_000)
  expect(told).toEqual([settings.current()])
  expect(settings.head()).toBe(settings.history()[0]?.id)
  expect(await settings.set([{ path: 'validity', value: '2h' }], 'x')).toEqual({ result: 'unchanged' })

  // A restart reads the same from the log.
  expect((await start(single, log)).settings.current().validity).toBe(7_200_000)
  await settings.set([{ path: 'validity', value: undefined }], 'x')
  expect(source('validity')).toEqual({ path: 'validity', value: '1h', source: 'file' })
  expect(await settings.set([{ path: 'validity', value: undefined }], 'x')).toEqual({ result: 'unchanged' })
})

test.each([
  ['validity', '1y', /"1y" is not allowed here; write a span/, 'validity'],
  ['validity', null, /has no value/, 'validity'],
  ['validity', ['1h'], /must be a text/, 'validity'],
  ['retention.queue', '9999w', /from 1s to 520w/, 'retention.queue'],
  ['reserve', '3', /write a size such as 16MB/, 'reserve'],
  ['log.level', 'loud', /allowed: debug, info, warn, error/, 'log.level'],
  ['routes', 'gsm0', /must be a list/, 'routes'],
  ['routes', [{ match: '*' }], /is missing/, 'routes[0].lines'],
  ['routes', [{ match: 'x', lines: ['gsm0'] }], /beginning such as/, 'routes[0].match'],
  ['routes', [{ match: '*', lines: ['gsm7'] }], /there is no line "gsm7"; lines: gsm0/, 'routes[0].lines[0]'],
  [
    'routes',
    [{ match: '*', lines: ['gsm0'], price: 1 }],
    /unknown key; allowed: match, lines, cost/,
    'routes[0].price',
  ],
])('%s: %j is refused', async (path, value, text, at) => {
  const { settings, told } = await start(single)
  const result = await settings.set(
    [
      { path: 'reserve', value: '32MB' },
      { path, value },
    ],
    'x',
  )
  expect(result).toEqual({ result: 'invalid', problems: [{ path: at, text: expect.stringMatching(text) }] })
  // All or none.
  expect(settings.history()).toEqual([])
  expect(told).toEqual([])
})

test('a path that is not shared is refused with those that are', async () => {
  const { settings } = await start(single)
  expect(await settings.set([{ path: 'node', value: 'x' }], 'x')).toMatchObject({
    result: 'unknownPath',
    allowed: expect.arrayContaining(['routes', 'log.level']),
  })
})

test('changes made at once are made one upon the other', async () => {
  const { settings } = await start(single)
  await Promise.all(['2h', '3h', '4h'].map((value) => settings.set([{ path: 'validity', value }], 'x')))
  const history = settings.history()
  expect(history.map(({ base }) => base)).toEqual([undefined, history[0]?.id, history[1]?.id])
  expect(settings.conflicts()).toEqual([])
  expect(settings.current().validity).toBe(4 * 3_600_000)
})

test('an earlier value comes back by a new revision: what a revision set, or what was before it', async () => {
  const { settings } = await start(single)
  await settings.set(
    [
      { path: 'validity', value: '2h' },
      { path: 'reserve', value: '32MB' },
    ],
    'x',
  )
  await settings.set([{ path: 'validity', value: '3h' }], 'x')
  const [first, second] = settings.history()
  await settings.restore(first?.id ?? '', 'y', 'after', 'validity')
  expect(settings.current().validity).toBe(7_200_000)
  await settings.restore(first?.id ?? '', 'y', 'before')
  expect(settings.current()).toMatchObject({ validity: 3_600_000, reserve: 16e6 })
  await settings.restore(second?.id ?? '', 'y')
  expect(settings.current()).toMatchObject({ validity: 3 * 3_600_000 })
  expect(settings.history()).toHaveLength(5)
  expect(await settings.restore('nothing', 'y')).toEqual({ result: 'unknownRevision' })
  expect(await settings.restore(first?.id ?? '', 'y', 'after', 'routes')).toEqual({
    result: 'unknownRevision',
  })
})

test('members that were cut apart agree when they meet, and list what was lost until it is restored or dismissed', async () => {
  const a = await start(paired('box-a', 'gsm0'))
  const b = await start(paired('box-b', 'gsm1'))
  async function meet() {
    a.log.merge(b.log)
    b.log.merge(a.log)
    await Promise.all([a.settings.refresh(), b.settings.refresh()])
    expect(b.settings.conflicts()).toEqual(a.settings.conflicts())
    expect(b.settings.values()).toEqual(a.settings.values())
  }
  await a.settings.set([{ path: 'validity', value: '1h' }], 'ada')
  await meet()
  await a.settings.set(
    [
      { path: 'validity', value: '2h' },
      { path: 'reserve', value: '20MB' },
    ],
    'ada',
  )
  await b.settings.set(
    [
      { path: 'validity', value: '3h' },
      { path: 'reserve', value: '30MB' },
    ],
    'bob',
  )
  await meet()
  expect(b.settings.current()).toMatchObject({ validity: 3 * 3_600_000, reserve: 30e6 })
  expect(a.settings.conflicts().map(({ path, value, author }) => [path, value, author])).toEqual([
    ['reserve', '20MB', 'ada'],
    ['validity', '2h', 'ada'],
  ])
  const lost = a.settings.conflicts()[0]?.revision ?? ''
  expect(await a.settings.dismiss(lost, 'reserve')).toBe(true)
  expect(await a.settings.dismiss(lost, 'reserve')).toBe(false)
  await meet()
  await b.settings.restore(lost, 'bob', 'after', 'validity')
  await meet()
  expect(a.settings.conflicts()).toEqual([])
  expect(a.settings.current()).toMatchObject({ validity: 7_200_000, reserve: 30e6 })
  // The next change has seen both sides.
  await a.settings.set([{ path: 'validity', value: '5h' }], 'ada')
  await meet()
  expect(a.settings.conflicts()).toEqual([])
})

test('what another member or version set and this one cannot use is a problem to show, not to stop at', async () => {
  const a = await start(paired('box-a', 'gsm0', 'validity: 1h'))
  const b = await start(paired('box-b', 'gsm1'))
  const lines = ['gsm1', 'box-b/gsm1', 'box-a/gsm0', 'gsm0']
  expect(await a.settings.set([{ path: 'routes', value: [{ match: '*', lines }] }], 'x')).toMatchObject({
    result: 'changed',
  })
  const revision = {
    id: 'later',
    author: 'later',
    at: 0,
    changes: [
      { path: 'contacts/7', after: { name: 'Ada' } },
      { path: 'validity', after: 'for ever' },
    ],
  }
  await a.log.operate({ op: 'revision', revision })
  await a.settings.refresh()
  b.log.merge(a.log)
  await b.settings.refresh()
  expect(a.settings.current().routes).toEqual([
    { match: '*', lines: ['gsm1', 'box-b/gsm1', 'gsm0', 'gsm0'], cost: 0 },
  ])
  expect(b.settings.current().routes[0]?.lines).toEqual(['gsm1', 'gsm1', 'box-a/gsm0', 'gsm0'])
  expect(a.settings.current().validity).toBe(3_600_000)
  expect(a.settings.problems()).toEqual([
    { path: 'contacts/7', text: expect.stringMatching(/does not know/) },
    { path: 'validity', text: expect.stringMatching(/"for ever" is not allowed/) },
    { path: 'routes[0].lines[0]', text: expect.stringMatching(/no line "gsm1"/) },
  ])
})

test('publishing makes the members agree whatever their files say', async () => {
  const a = await start(paired('box-a', 'gsm0', 'validity: 1h'))
  const b = await start(paired('box-b', 'gsm1', 'validity: 9h'))
  await a.settings.set([{ path: 'reserve', value: '20MB' }], 'ada')
  expect(await a.settings.publish('local')).toMatchObject({ result: 'changed' })
  expect(await a.settings.publish('local')).toEqual({ result: 'unchanged' })
  b.log.merge(a.log)
  await b.settings.refresh()
  expect(b.settings.current()).toEqual(a.settings.current())
  expect(b.told).toHaveLength(1)
})

test('a change is looked at without being made, in the words in which it would be refused', async () => {
  const { settings, log } = await start(single)
  expect(await settings.check([{ path: 'validity', value: '7200s' }])).toEqual({
    result: 'planned',
    changes: [{ path: 'validity', before: '1h', after: '2h' }],
  })
  expect(await settings.check([{ path: 'validity', value: '1y' }])).toMatchObject({ result: 'invalid' })
  expect(await settings.check([{ path: 'colour', value: 'red' }])).toMatchObject({ result: 'unknownPath' })
  expect(settings.head()).toBeUndefined()
  expect((await start(single, log)).settings.current().validity).toBe(3_600_000)
})

test('undoing takes back what nobody has set anew since, and nothing else', async () => {
  const { settings } = await start(single)
  const first = await settings.set(
    [
      { path: 'validity', value: '2h' },
      { path: 'log.level', value: 'debug' },
      { path: 'contacts', value: [{ id: 'ann', name: 'Ann', sms: '+491701234567' }] },
    ],
    'ann',
  )
  await settings.set([{ path: 'log.level', value: 'warn' }], 'bob')
  const id = first.result === 'changed' ? first.revision.id : ''
  expect(await settings.undo(id, 'rollback')).toMatchObject({
    result: 'changed',
    revision: { author: 'rollback' },
  })
  expect(settings.current()).toMatchObject({ validity: 3_600_000, log: { level: 'warn' }, contacts: [] })
  expect(await settings.undo(id, 'rollback')).toEqual({ result: 'unchanged' })
  expect(await settings.undo('nothing', 'rollback')).toEqual({ result: 'unknownRevision' })
})

test('what is told before a revision is written can keep it from being written', async () => {
  const { settings } = await start(single)
  const told: string[] = []
  await settings.set([{ path: 'validity', value: '2h' }], 'ann', async ({ id }) => void told.push(id))
  expect(told).toEqual([settings.head()])
  await expect(
    settings.set([{ path: 'validity', value: '3h' }], 'ann', () =>
      Promise.reject(new Error('the disk is full')),
    ),
  ).rejects.toThrow('the disk is full')
  expect(settings.current().validity).toBe(7_200_000)
})
