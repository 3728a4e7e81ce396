/** twinline inbound: what was to be done about received messages and was given up, and who wants no messages. */
import type * as schemas from '#intake/http/inbound-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { exit, UsageError } from './outcome.ts'
import { localTime, printable, printJson, printTable } from './print.ts'
import { ask, targetsOf } from './target.ts'

type DeadPage = Shape<typeof schemas.deadPage>
type Actions = Shape<typeof schemas.actionList>
type Replayed = Shape<typeof schemas.replayed>
type Stopped = Shape<typeof schemas.stoppedList>

const usage = `twinline inbound dead [--json]
twinline inbound replay ID [--json]
twinline inbound replay --all [--json]
twinline inbound actions ID [--json]
twinline inbound stopped [--json]
twinline inbound stop NUMBER
twinline inbound start NUMBER

dead lists what rules for received messages could not do and gave up; replay tries it again. actions shows what became
of one received message, by its id in the inbox.
stopped lists the numbers that answered STOP: only priority 0 is sent there. stop and start change the list.

${connectionUsage}`

const options = { ...connectionOptions, all: { type: 'boolean' } } as const

const PAGE = 500

const missing: Record<string, string> = {
  replay: 'say which: an id, or --all',
  actions: 'say which message: its id in the inbox',
}

export async function inbound(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, word, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`unexpected ${JSON.stringify(rest[0])}`, usage)
  const { json = false, all = false } = values
  if (all && action !== 'replay') throw new UsageError('--all belongs to replay', usage)
  const wantsWord =
    action === 'actions' || action === 'stop' || action === 'start' || (action === 'replay' && !all)
  if (!wantsWord && word !== undefined) throw new UsageError(`unexpected ${JSON.stringify(word)}`, usage)
  if (wantsWord && word === undefined) throw new UsageError(missing[action] ?? 'say which number', usage)
  const targets = () => targetsOf(values, usage)
  switch (action) {
    case 'dead': {
      const items = await everything(targets())
      if (json) printJson(items)
      else {
        printTable(
          ['id', 'when', 'from', 'action', 'rule', 'attempts', 'why'],
          items.map(({ id, at, from, action, rule, attempts, reason }) => [
            id,
            localTime(at),
            from,
            action,
            rule,
            attempts,
            reason === undefined ? '' : `${reason.code}: ${reason.text}`,
          ]),
        )
      }
      return exit.accepted
    }
    case 'replay': {
      const path = all ? '/inbound/dead/replay' : `/inbound/dead/${encodeURIComponent(word ?? '')}/replay`
      const answer = await ask<Replayed>(targets(), { method: 'POST', path })
      if (json) printJson(answer)
      else console.log(`${answer.replayed} tried again`)
      return exit.accepted
    }
    case 'actions': {
      const path = `/inbox/${encodeURIComponent(word ?? '')}/actions`
      const plan = await ask<Actions>(targets(), { method: 'GET', path })
      if (json) printJson(plan)
      else if (plan.skipped !== undefined) console.log(`nothing: ${plan.skipped}`)
      else {
        printTable(
          ['action', 'rule', 'to', 'state', 'attempts', ''],
          plan.items.map(({ action, rule, to = [], state, attempts, reason }) => [
            action,
            rule,
            to.join(', '),
            state,
            attempts,
            reason === undefined ? '' : `${reason.code}: ${reason.text}`,
          ]),
        )
      }
      return exit.accepted
    }
    case 'stopped': {
      const { items } = await ask<Stopped>(targets(), { method: 'GET', path: '/inbound/stopped' })
      if (json) printJson(items)
      else
        printTable(
          ['number', 'since'],
          items.map(({ number, since }) => [number, localTime(since)]),
        )
      return exit.accepted
    }
    case 'stop':
    case 'start': {
      const path = `/inbound/stopped/${encodeURIComponent(word ?? '')}`
      await ask(targets(), { method: action === 'stop' ? 'PUT' : 'DELETE', path })
      console.log(
        printable(action === 'stop' ? `${word} gets only priority 0 now` : `${word} gets messages again`),
      )
      return exit.accepted
    }
    default:
      throw new UsageError('say what to do: dead, replay, actions, stopped, stop or start', usage)
  }
}

async function everything(targets: ReturnType<typeof targetsOf>): Promise<DeadPage['items']> {
  const items: DeadPage['items'] = []
  let next: string | undefined = '0'
  while (next !== undefined) {
    const path: string = `/inbound/dead?${new URLSearchParams({ limit: String(PAGE), after: next })}`
    const page: DeadPage = await ask<DeadPage>(targets, { method: 'GET', path })
    items.push(...page.items)
    next = page.next
  }
  return items
}
