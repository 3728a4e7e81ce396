/** twinline audit and twinline pair log: what they print, and how they end. */
import { expect, test } from 'vitest'
import { exit } from '../../src/cli/outcome.ts'
import { twinline } from './program.ts'
import { standIn } from './stand-in.ts'

const ok = (body: unknown) => ({ status: 200, body })
const chain = (node: string, rest: object = {}) => ({ node, records: 12, copies: [], ...rest })

test('audit verify ends with 0 when every chain is whole, and names who was not asked', async () => {
  const copies = [{ member: 'box-b', records: 11, agrees: true }]
  const host = await standIn(() =>
    ok({ whole: true, chains: [chain('box-a', { copies })], silent: ['box-c'] }),
  )
  const ran = await twinline(['audit', 'verify', '--host', host.url])
  expect(ran).toMatchObject({ code: exit.accepted, stderr: '' })
  expect(host.asked[0]?.path).toBe('/api/v1/audit/verify')
  expect(ran.stdout).toBe(
    'member  records  chain     copies\n' +
      'box-a        12  unbroken  box-b agrees (11)\n' +
      'box-c did not answer: its copies are not compared\n',
  )
})

test('audit verify ends with 1 and shows the first break of each chain', async () => {
  const chains = [
    chain('box-a', { fault: { number: 7, fault: 'altered' } }),
    chain('box-b', { copies: [{ member: 'box-c', records: 12, agrees: false }] }),
    chain('box-c', { fault: { number: 3, fault: 'missing' } }),
  ]
  const host = await standIn(() => ok({ whole: false, chains, silent: [] }))
  const ran = await twinline(['audit', 'verify', '--host', host.url])
  expect(ran).toMatchObject({ code: exit.refused, stderr: 'twinline: the audit log was changed\n' })
  expect(ran.stdout.split('\n').slice(1, 4)).toEqual([
    'box-a        12  record 7 was altered',
    'box-b        12  unbroken              box-c DIFFERS (12)',
    'box-c        12  record 3 is missing',
  ])
  const machine = await twinline(['audit', 'verify', '--json', '--host', host.url])
  expect(machine.code).toBe(exit.refused)
  expect(JSON.parse(machine.stdout).chains).toHaveLength(3)
})

test('audit list turns every page', async () => {
  const record = (number: number) => ({
    node: 'box-b',
    number,
    at: '2026-11-21T12:00:00.000Z',
    who: 'cli',
    what: 'token-created',
    text: 'token x',
    hash: 'h',
  })
  const host = await standIn(({ path }) =>
    ok(path.includes('after=0') ? { items: [record(1)], next: '1' } : { items: [record(2)] }),
  )
  const ran = await twinline(['audit', 'list', '--node', 'box-b', '--host', host.url], {
    environment: { TZ: 'UTC' },
  })
  expect(ran.code).toBe(0)
  expect(host.asked.map(({ path }) => path)).toEqual([
    '/api/v1/audit?limit=500&after=0&node=box-b',
    '/api/v1/audit?limit=500&after=1&node=box-b',
  ])
  expect(ran.stdout.split('\n').slice(1, 3)).toEqual([
    '     1  2026-11-21 12:00:00  cli  token-created  token x',
    '     2  2026-11-21 12:00:00  cli  token-created  token x',
  ])
})

test('pair log prints the lines of a day as they are', async () => {
  const { pairLog } = await import('../../src/cli/pair-log.ts')
  const lines = ['14:47:47.377 box-a error detected, count = 1', '14:47:48.377 box-b takes over']
  const host = await standIn(() => ok({ day: '2026-11-21', lines, days: ['2026-11-21'] }))
  const printed: string[] = []
  const { log } = console
  console.log = (line: string) => printed.push(line)
  try {
    expect(await pairLog(['--day', '2026-11-21', '--host', host.url])).toBe(0)
  } finally {
    console.log = log
  }
  expect(printed).toEqual(lines)
  expect(host.asked[0]?.path).toBe('/api/v1/pair/failover?day=2026-11-21')
  await expect(pairLog(['--day', 'yesterday', '--host', host.url])).rejects.toThrow('is no day')
})

test.each([
  [['audit']],
  [['audit', 'verfy']],
  [['audit', 'verify', '--node', 'box-a', '--host', 'http://127.0.0.1:9']],
  [['audit', 'list', '--after', 'x', '--host', 'http://127.0.0.1:9']],
])('%j is a mistake of the command line', async (words) => {
  expect((await twinline(words)).code).toBe(exit.usage)
})
