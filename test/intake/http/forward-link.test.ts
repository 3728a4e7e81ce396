/** What the members' link makes of a forwarded request: where it goes, and what each way to fail means. */
import { expect, test } from 'vitest'
import { type ForwardedRequest, NotForwarded } from '#intake/http/forward.ts'
import { answerForwarded, forwardOverLinks } from '#intake/http/forward-link.ts'
import type { RoleState } from '#pair/contract.ts'
import type { Replication } from '#pair/replication/replication.ts'

type Handler = Parameters<Replication['handle']>[1]
type Answer = Awaited<ReturnType<Replication['request']>>

const state = (role: RoleState['role'], active?: string): RoleState => ({
  role,
  term: { counter: 1, node: 'a' },
  since: 0,
  reason: '',
  ...(active === undefined ? {} : { active }),
})
const request: ForwardedRequest = {
  method: 'PATCH',
  path: '/api/v1/config',
  body: { a: 'ä' },
  author: 'http:x',
}

const failing = (code: string) =>
  forwardOverLinks('a', () => state('standby', 'b'), {
    request: async (): Promise<Answer> => ({ result: 'failed', code, text: 'why' }),
  })

test.each([
  [state('active', 'a'), 'self'],
  [state('single'), 'self'],
  [state('standby', 'b'), { node: 'b' }],
  [state('standby'), undefined],
  [state('isolated', 'a'), undefined],
  [state('error', 'b'), { node: 'b' }],
])('%j: the active one is %j', (role, active) => {
  const request = async (): Promise<Answer> => ({ result: 'answered', body: '' })
  expect(forwardOverLinks('a', () => role, { request }).active()).toEqual(active)
})

test('a request arrives as it was sent, and so does its answer', async () => {
  let handler: Handler | undefined
  const seen: ForwardedRequest[] = []
  answerForwarded({ handle: (_topic, given) => (handler = given) }, async (given) => {
    seen.push(given)
    return { status: 400, body: { code: 'x' } }
  })
  const link = forwardOverLinks('a', () => state('standby', 'b'), {
    request: async (_to, _topic, body) =>
      handler === undefined ? { result: 'failed', code: 'none', text: '' } : handler('a', body),
  })
  expect(await link.send('b', request)).toEqual({ status: 400, body: { code: 'x' } })
  expect(seen).toEqual([request])
})

test.each(['member-unreachable', 'member-busy', 'member-question-unknown'])(
  '%s: nothing happened',
  async (code) => {
    await expect(failing(code).send('b', request)).rejects.toBeInstanceOf(NotForwarded)
  },
)

test.each(['member-no-answer', 'member-question-failed', 'member-question-too-large'])(
  '%s: it may have happened',
  async (code) => {
    const error: unknown = await failing(code)
      .send('b', request)
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(NotForwarded)
  },
)
