/** Forwarded requests over the members' own links: asked of the active member here, executed for another one there. */
import type { RoleState } from '#pair/contract.ts'
import type { Replication } from '#pair/replication/replication.ts'
import { type Forward, type ForwardedAnswer, type ForwardedRequest, NotForwarded } from './forward.ts'
import { fetchFile } from './forward-files.ts'

const TOPIC = 'forward'
/** A little more than the route waits, so that it is the one to give up. */
const DEADLINE_MS = 11_000

/** Failures after which the other member has surely done nothing. */
const neverLeft: ReadonlySet<string> = new Set([
  'member-unreachable',
  'member-busy',
  'member-question-unknown',
])

export function forwardOverLinks(
  node: string,
  role: () => RoleState,
  replication: Pick<Replication, 'request'>,
): Forward {
  return {
    active() {
      const state = role()
      if (state.role === 'active' || state.role === 'single') return 'self'
      return state.active === undefined || state.active === node ? undefined : { node: state.active }
    },
    async send(to, request) {
      const answer = await replication.request(to, TOPIC, JSON.stringify(request), DEADLINE_MS)
      if (answer.result === 'answered') return JSON.parse(answer.body) as ForwardedAnswer
      throw failure(answer)
    },
    fetch: (from, request) => fetchFile((...asked) => replication.request(...asked), from, request, failure),
  }
}

const failure = ({ code, text }: { code: string; text: string }): Error =>
  neverLeft.has(code) ? new NotForwarded(text) : new Error(text)

/** Executes what other members send. */
export function answerForwarded(
  replication: Pick<Replication, 'handle'>,
  execute: (request: ForwardedRequest) => Promise<ForwardedAnswer>,
): void {
  replication.handle(TOPIC, async (_from, body) => {
    // A member is one of us: its certificate is pinned. What it may ask for is checked by the routes all the same.
    const answer = await execute(JSON.parse(body) as ForwardedRequest)
    return { result: 'answered', body: JSON.stringify(answer) }
  })
}
