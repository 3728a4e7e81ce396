/** twinline totals: per appliance and line, as a whole, by day and by hour; and what it refuses. */
import { expect, test } from 'vitest'
import { twinline } from './program.ts'
import { standIn } from './stand-in.ts'

const sums = { sent: 2, delivered: 1, failed: 0, unknown: 0, received: 5 }
const items = [
  { node: 'box-b', line: 'gsm0', hour: '2026-11-20T09:00:00.000Z', ...sums },
  { node: 'box-a', line: 'gsm1', hour: '2026-11-20T10:00:00.000Z', ...sums },
  { node: 'box-a', line: 'gsm0', hour: '2026-11-20T10:00:00.000Z', ...sums },
  { node: 'box-a', line: 'gsm0', hour: '2026-11-20T11:00:00.000Z', ...sums, sent: 20 },
  { node: 'box-a', line: 'gsm0', hour: '2026-11-21T10:00:00.000Z', ...sums, failed: 3 },
]
const answer = {
  since: '2026-11-20T00:00:00.000Z',
  items,
  total: { sent: 28, delivered: 5, failed: 3, unknown: 0, received: 25 },
}
const environment = { TZ: 'UTC' }

async function totals(...words: string[]) {
  const host = await standIn(() => ({ status: 200, body: answer }))
  const ran = await twinline(['totals', ...words, '--host', host.url], { environment })
  return { ...ran, lines: ran.stdout.trimEnd().split('\n'), asked: host.asked }
}

test('shows each appliance and line, those of all members', async () => {
  const { lines, code } = await totals()
  expect(code).toBe(0)
  expect(lines).toEqual([
    'node   line  sent  delivered  failed  unknown  received',
    'box-a  gsm0    24          3       3        0        15',
    'box-a  gsm1     2          1       0        0         5',
    'box-b  gsm0     2          1       0        0         5',
    'total          28          5       3        0        25',
  ])
})

test('shows them over time, by day and by hour, of one appliance where it is told to', async () => {
  expect((await totals('--by', 'day')).lines).toEqual([
    'day         node   line  sent  delivered  failed  unknown  received',
    '2026-11-20  box-a  gsm0    22          2       0        0        10',
    '2026-11-20  box-a  gsm1     2          1       0        0         5',
    '2026-11-20  box-b  gsm0     2          1       0        0         5',
    '2026-11-21  box-a  gsm0     2          1       3        0         5',
    'total                      28          5       3        0        25',
  ])
  const { lines, asked } = await totals('--by', 'hour', '--node', 'box-b', '--since', '7d')
  expect(asked[0]?.path).toBe('/api/v1/totals?since=7d')
  expect(lines.slice(1)).toEqual([
    'hour              node   line  sent  delivered  failed  unknown  received',
    '2026-11-20 09:00  box-b  gsm0     2          1       0        0         5',
    'total                             2          1       0        0         5',
  ])
})

test('prints the same for programs', async () => {
  const plain = JSON.parse((await totals('--json', '--node', 'box-b')).stdout)
  expect(plain).toEqual({ since: answer.since, items: [items[0]], total: sums })
  const byDay = JSON.parse((await totals('--json', '--by', 'day')).stdout)
  expect(byDay.items[0]).toEqual({
    span: '2026-11-20',
    node: 'box-a',
    line: 'gsm0',
    sent: 22,
    delivered: 2,
    failed: 0,
    unknown: 0,
    received: 10,
  })
  expect(byDay.total.sent).toBe(28)
})

test.each([
  [['--since', 'foo'], '--since "foo" is neither a span'],
  [['--since', '2026-99-01'], '--since "2026-99-01" is neither a span'],
  [['--by', 'week'], '--by "week" is not known; allowed: hour, day'],
])('refuses %j as a mistake of the command line', async (words, text) => {
  const { code, stderr, asked } = await totals(...words)
  expect(code).toBe(2)
  expect(stderr).toContain(text)
  expect(asked).toEqual([])
})
