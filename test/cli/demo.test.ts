/** The demo asks on while its boxes agree who is active, and no longer than that. */
import { expect, test } from 'vitest'
import { untilDone } from '../../src/cli/demo-box.ts'

const answer = (status: number, body: unknown = {}) => ({ result: 'answer', status, body }) as const

test('what no box may change yet is asked for again', async () => {
  const answers = [
    answer(503, { code: 'no-active' }),
    answer(503, { code: 'active-unreachable' }),
    answer(201, { id: 1 }),
  ]
  const ask = async () => answers.shift() ?? answer(500)
  expect(await untilDone('no user', ask)).toEqual({ id: 1 })
  expect(answers).toEqual([])
})

test('what is refused for another reason, and for too long, ends it', async () => {
  await expect(untilDone('no user', async () => answer(409, { code: 'user-exists' }))).rejects.toThrow(
    /no user: .*user-exists/,
  )
  const silent = { result: 'notSent', reason: 'refused', code: 'ECONNREFUSED' } as const
  await expect(untilDone('no user', async () => silent)).rejects.toThrow('ECONNREFUSED')
  await expect(untilDone('no user', async () => answer(503), 0)).rejects.toThrow('503')
})
