/** twinline line: what people do with lines: switch, mute, try, and watch one speak with its modem. */
import { setTimeout as pause } from 'node:timers/promises'
import type * as schemas from '#intake/http/line-schemas.ts'
import { connectionOptions, connectionUsage, parseArguments } from './arguments.ts'
import { call, type Target } from './client.ts'
import { Ended, exit, UsageError } from './outcome.ts'
import { localTime, printable, printJson, printTable } from './print.ts'
import { ask, problemText, targetsOf } from './target.ts'

const usage = `twinline line list [--json]                 the lines of every member that can be reached
twinline line restart|enable|disable ID
twinline line mute ID --for 1h              sends nothing for a while, goes on receiving; ends by itself
twinline line unmute ID
twinline line test ID --to NUMBER -m TEXT   a message over exactly this line
twinline line trace ID [--follow]           the newest of the dialogue with its modem, numbers and texts masked

  --node NODE   the line of another member of the pair

With --host, list needs a token with the scope read, everything else one with the scope operate.

${connectionUsage}`

const options = {
  ...connectionOptions,
  node: { type: 'string' },
  for: { type: 'string' },
  to: { type: 'string' },
  message: { type: 'string', short: 'm' },
  follow: { type: 'boolean' },
} as const

const FOLLOW_MS = 300

export async function line(argv: string[]): Promise<number> {
  const { values, positionals } = parseArguments(argv, options, usage)
  if (values.help) {
    console.log(usage)
    return exit.accepted
  }
  const [action, id, ...rest] = positionals
  if (rest[0] !== undefined) throw new UsageError(`unexpected ${JSON.stringify(rest[0])}`, usage)
  const targets = targetsOf(values, usage)
  const query = values.node === undefined ? '' : `?node=${encodeURIComponent(values.node)}`
  if (action === 'list') return list(targets, values.node ?? '*', values.json === true)
  const [target] = targets
  if (action === undefined || target === undefined) throw new UsageError('say what to do', usage)
  if (id === undefined) throw new UsageError('which line? Give its id, as twinline line list shows it', usage)
  const path = (what: string) => `/lines/${encodeURIComponent(id)}/${what}${query}`
  switch (action) {
    case 'restart':
    case 'enable':
    case 'disable':
    case 'unmute':
      return show(await post(target, path(action)), values.json === true)
    case 'mute':
      if (values.for === undefined) throw new UsageError('for how long? Give --for, such as 1h', usage)
      return show(await post(target, path('mute'), { for: values.for }), values.json === true)
    case 'test': {
      const { to, message: text } = values
      if (to === undefined || text === undefined) throw new UsageError('give --to NUMBER and -m TEXT', usage)
      printJson(await post(target, path('test'), { to, text }))
      return exit.accepted
    }
    case 'trace':
      return trace(target, path('trace'), values.follow === true)
    default:
      throw new UsageError(`there is no line command ${JSON.stringify(action)}`, usage)
  }
}

async function list(targets: readonly Target[], node: string, json: boolean): Promise<number> {
  const path = `/lines?node=${encodeURIComponent(node)}`
  const { items } = await ask<schemas.LineList>(targets, { method: 'GET', path })
  if (json) printJson(items)
  else
    printTable(
      ['member', 'line', 'state', 'muted until', 'signal', 'last success', 'reason'],
      items.map((one) => [
        one.node ?? '',
        one.id,
        `${one.state}${one.busy ? ', busy' : ''}`,
        one.muted === undefined ? '' : localTime(one.muted),
        one.signal === undefined ? '' : `${one.signal} dBm`,
        one.lastSuccess === undefined ? '' : localTime(one.lastSuccess),
        one.reason?.text ?? '',
      ]),
    )
  return exit.accepted
}

function show(body: unknown, json: boolean): number {
  const { id, state, muted } = body as schemas.LineView
  if (json) printJson(body)
  else
    console.log(
      printable(`${id} is ${state}${muted === undefined ? '' : `, muted until ${localTime(muted)}`}`),
    )
  return exit.accepted
}

/** Asks one appliance only: the next one would do it again. */
async function post(target: Target, path: string, body: object = {}): Promise<unknown> {
  const answer = await call(target, { method: 'POST', path, body: JSON.stringify(body) })
  if (answer.result === 'notSent')
    throw new Ended(exit.unreachable, `cannot reach ${target.name}: ${answer.reason}`)
  if (answer.result === 'unknown') throw new Ended(exit.unknown, `${target.name}: ${answer.reason}`)
  if (answer.status >= 300) throw new Ended(exit.refused, `${target.name}: ${problemText(answer)}`)
  return answer.body
}

async function trace(target: Target, path: string, follow: boolean): Promise<number> {
  let after = 0
  for (;;) {
    const more = `${path}${path.includes('?') ? '&' : '?'}after=${after}`
    const { entries, next } = await ask<schemas.LineTrace>([target], { method: 'GET', path: more })
    for (const { at, direction, text } of entries)
      console.log(printable(`${at.slice(11, 23)} ${direction} ${text}`))
    after = next
    if (!follow) return exit.accepted
    await pause(FOLLOW_MS)
  }
}
