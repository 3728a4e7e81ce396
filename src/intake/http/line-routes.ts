/** Lines over HTTP: to look at, to switch, to mute, to try, and to watch as they speak with their modems. */
import { parseDuration } from '#core/duration.ts'
import { newId } from '#core/ids.ts'
import type { Line } from '#lines/contract.ts'
import type { DocumentReference } from '#messages/message.ts'
import { requires } from './auth.ts'
import { askMember, atMember, EVERY } from './forward.ts'
import * as schemas from './line-schemas.ts'
import { accepted } from './message-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { notTaken, Problem, valuesOf } from './problems.ts'
import { idParam } from './schemas.ts'
import { acceptedView, lineView } from './views.ts'

const DAY_MS = 86_400_000
const LONGEST_MUTE = 30 * DAY_MS
/** A test is of now: what is still waiting later would only puzzle its recipient. */
const TEST_VALIDITY = 600_000

const directions = { out: '>', in: '<', note: '-' } as const

export function lineRoutes(api: Api, parts: Parts): void {
  const { dispatch, clock, access, node, forward, records, metrics } = parts
  const read = requires('read', access)
  const operate = requires('operate', access)
  const tags = ['lines']

  /** What a fax line is tried with: a page that says the text. */
  async function testPage(text: string): Promise<DocumentReference | undefined> {
    const page = async function* () {
      yield Buffer.from(text)
    }
    const taken = await parts.documents?.take(page(), 'test.txt')
    if (taken?.result === 'refused') throw new Problem(taken.status, taken.code, taken.text, valuesOf(taken))
    return taken?.document
  }

  function lineOf(id: string): Line {
    const line = dispatch.lines().find((candidate) => candidate.id === id)
    if (line === undefined)
      throw new Problem(404, 'line-unknown', 'there is no line with this id', {
        field: 'id',
        allowed: dispatch.lines().map((candidate) => candidate.id),
      })
    return line
  }
  const own = () => dispatch.lineStatus().map((status) => ({ ...lineView(status), node }))
  const viewOf = (id: string) => {
    const status = dispatch.lineStatus().find((one) => one.id === lineOf(id).id)
    return status === undefined ? undefined : { ...lineView(status), node }
  }
  const noted = (who: string, id: string, text: string) =>
    records?.audit.write(who, 'line-changed', `line ${id}${text}`)

  /** Of every member that answers. */
  async function everybody(author: string): Promise<schemas.LineView[]> {
    const others = parts.pair?.control.members().filter((member) => member.node !== node) ?? []
    const answers = await Promise.allSettled(
      others.map((member) =>
        askMember(member.node, forward, { method: 'GET', path: `/api/v1/lines?node=${member.node}`, author }),
      ),
    )
    return answers.flatMap((answer) =>
      answer.status === 'fulfilled' && answer.value.status === 200
        ? (answer.value.body as schemas.LineList).items
        : [],
    )
  }

  atMember(api, node, forward, (scope) => {
    scope.get(
      '/lines',
      {
        onRequest: read,
        schema: {
          tags,
          summary: 'All lines of one member, or of every member that can be reached',
          querystring: schemas.linesQuery,
          response: { 200: schemas.lineList },
        },
      },
      async ({ query, source }) => ({
        items: query.node === EVERY ? [...own(), ...(await everybody(source))] : own(),
      }),
    )

    scope.get(
      '/lines/:id',
      {
        onRequest: read,
        schema: {
          tags,
          summary: 'One line',
          params: idParam,
          querystring: schemas.memberQuery,
          response: { 200: schemas.line },
        },
      },
      async ({ params }) => viewOf(params.id),
    )

    scope.post(
      '/lines/:id/:action',
      {
        onRequest: operate,
        schema: {
          tags,
          summary: 'Restart, disable, enable or unmute a line',
          params: schemas.lineActionParam,
          querystring: schemas.memberQuery,
          response: { 200: schemas.line },
        },
      },
      async ({ params: { id, action }, source }) => {
        const line = lineOf(id)
        if (action === 'unmute') await dispatch.unmute(line.id)
        else line[action]()
        noted(source, id, `: ${action}`)
        return viewOf(id)
      },
    )

    scope.post(
      '/lines/:id/mute',
      {
        onRequest: operate,
        schema: {
          tags,
          summary: 'Send nothing over a line for a while; it goes on receiving',
          params: idParam,
          querystring: schemas.memberQuery,
          body: schemas.muteRequest,
          response: { 200: schemas.line },
        },
      },
      async ({ params: { id }, body, source }) => {
        const line = lineOf(id)
        const span = parseDuration(body.for)
        if (span === undefined || span <= 0 || span > LONGEST_MUTE) {
          throw new Problem(400, 'out-of-range', 'for must be a span such as 1h, at most 30d', {
            field: 'for',
            values: { most: '30d' },
          })
        }
        await dispatch.mute(line.id, clock.now() + span)
        noted(source, id, ` sends nothing for ${body.for}`)
        return viewOf(id)
      },
    )

    scope.post(
      '/lines/:id/test',
      {
        onRequest: operate,
        schema: {
          tags,
          summary: 'Send a message over exactly this line; 202 means that it is on disk',
          params: idParam,
          querystring: schemas.memberQuery,
          body: schemas.testRequest,
          response: { 202: accepted },
        },
      },
      async ({ params: { id }, body: { to, text }, source }, reply) => {
        const line = lineOf(id)
        if (parts.role() === 'STANDBY' && parts.pair?.config.mode !== 'active-active') {
          throw new Problem(
            409,
            'line-standing-by',
            `${node} stands by, and its lines send only while it is active: test them after a handover`,
            { values: { member: node } },
          )
        }
        const document = line.channel === 'fax' ? await testPage(text) : undefined
        const result = await dispatch.submit({
          to: [to],
          text,
          channel: line.channel,
          ...(document === undefined ? {} : { document }),
          line: line.id,
          source,
          priority: 1,
          validity: TEST_VALIDITY,
          onUnknown: 'hold',
          tag: 'test',
          // Somebody who tests twice wants it twice.
          dedupe: newId(clock.now()),
        })
        if (result.result === 'conflict')
          throw new Problem(409, 'key-reused', 'this cannot be: it has no key')
        // A test has one recipient, and no list of them.
        if (result.result === 'invalid' && result.field === 'to[0]')
          throw notTaken({ ...result, field: 'to' })
        if (result.result !== 'accepted') throw notTaken(result)
        metrics.accepted('http')
        reply.code(202)
        return acceptedView(result.view, result.replicated)
      },
    )

    scope.get(
      '/lines/:id/trace',
      {
        onRequest: operate,
        schema: {
          tags,
          summary: 'The newest of the dialogue between a line and its modem, to be followed by asking again',
          params: idParam,
          querystring: schemas.traceQuery,
          response: { 200: schemas.trace },
        },
      },
      async ({ params: { id }, query }): Promise<schemas.LineTrace> => {
        const all = lineOf(id).dialogue?.() ?? []
        const last = all.at(-1)?.n ?? 0
        const asked = Number(query.after ?? '0')
        // A number from before a restart of the program says nothing about this one's.
        const after = asked > last ? 0 : asked
        const ahead = clock.now() - clock.monotonic()
        return {
          entries: all
            .filter(({ n }) => n > after)
            .map(({ n, at, direction, text }) => ({
              n,
              at: new Date(at + ahead).toISOString(),
              direction: directions[direction],
              text,
            })),
          next: last,
        }
      },
    )
  })
}
