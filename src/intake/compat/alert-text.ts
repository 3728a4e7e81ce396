/**
 * Groups of alerts as Alertmanager (webhook version 4) and Grafana (version 1, the same with more) send them, and how
 * one becomes the text of a message. Pure.
 */
import type { AlertHookConfig } from '#config/compat.ts'
import type { Priority } from '#messages/message.ts'
import { Problem } from '../http/problems.ts'
import { asObject } from './form.ts'

type Words = ReadonlyMap<string, string>

export interface Alert {
  firing: boolean
  labels: Words
  annotations: Words
  startsAt: string
  fingerprint: string
  value: string
}

export interface AlertGroup {
  groupKey: string
  receiver: string
  title: string
  alerts: Alert[]
  /** Alerts of the group that were left out on the way here. */
  truncated: number
}

/** Alerts of one group that are looked at; more count as left out. */
const ALERTS_MOST = 1_000

/** @throws Problem naming the field that is no such thing */
export function groupOf(body: Record<string, unknown>): AlertGroup {
  const { alerts } = body
  if (alerts === undefined && textIn(body, 'state') !== '') return legacy(body)
  if (!Array.isArray(alerts))
    throw new Problem(
      400,
      'wrong-type',
      'alerts must be a list, as in the webhook of Alertmanager 0.25 or Grafana 9',
      {
        field: 'alerts',
      },
    )
  const entries: readonly unknown[] = alerts
  const truncated = Number(body['truncatedAlerts'])
  return {
    groupKey: textIn(body, 'groupKey'),
    receiver: textIn(body, 'receiver'),
    title: textIn(body, 'title'),
    alerts: entries.slice(0, ALERTS_MOST).map(alertOf),
    truncated: (truncated > 0 ? Math.trunc(truncated) : 0) + Math.max(0, entries.length - ALERTS_MOST),
  }
}

function alertOf(entry: unknown, index: number): Alert {
  const alert = asObject(entry)
  if (alert === undefined)
    throw new Problem(400, 'wrong-type', `alerts[${index}] must be an object`, { field: `alerts[${index}]` })
  const status = textIn(alert, 'status')
  if (status !== 'firing' && status !== 'resolved')
    throw new Problem(400, 'not-allowed', `alerts[${index}].status must be firing or resolved`, {
      field: `alerts[${index}].status`,
      allowed: ['firing', 'resolved'],
    })
  return {
    firing: status === 'firing',
    labels: wordsIn(alert, 'labels', index),
    annotations: wordsIn(alert, 'annotations', index),
    startsAt: textIn(alert, 'startsAt'),
    fingerprint: textIn(alert, 'fingerprint'),
    value: textIn(alert, 'valueString'),
  }
}

/** Grafana before version 9, and its own test button: one alert without labels. */
function legacy(body: Record<string, unknown>): AlertGroup {
  const name = textIn(body, 'ruleName') || textIn(body, 'title')
  const firing = !['ok', 'resolved', 'normal'].includes(textIn(body, 'state').toLowerCase())
  const rule = String(body['ruleId'] ?? name)
  const alert = {
    firing,
    labels: new Map([['alertname', name]]),
    annotations: new Map([['summary', textIn(body, 'message')]]),
    startsAt: '',
    fingerprint: rule,
    value: '',
  }
  return { groupKey: '', receiver: '', title: textIn(body, 'title'), alerts: [alert], truncated: 0 }
}

const textIn = (object: Record<string, unknown>, name: string): string => {
  const value = object[name]
  return typeof value === 'string' ? value : ''
}

function wordsIn(alert: Record<string, unknown>, name: string, index: number): Words {
  const value = alert[name]
  if (value === undefined || value === null) return new Map()
  const object = asObject(value)
  const field = `alerts[${index}].${name}`
  if (object === undefined)
    throw new Problem(400, 'wrong-type', `${field} must be an object of texts`, { field })
  return new Map(
    Object.entries(object).flatMap(([key, word]) => (typeof word === 'string' ? [[key, word]] : [])),
  )
}

/** @returns the text, cut to the limit; undefined when there is nothing to tell */
export function alertText(
  group: AlertGroup,
  { text, alert, resolved, limit }: Pick<AlertHookConfig, 'text' | 'alert' | 'resolved' | 'limit'>,
): string | undefined {
  const firing = group.alerts.filter((one) => one.firing)
  const over = resolved ? group.alerts.filter((one) => !one.firing) : []
  if (firing.length + over.length === 0) return undefined
  const told = (alerts: readonly Alert[]) => alerts.map((one) => fill(alert, (word) => wordOf(one, word)))
  const parts = [
    ...(firing.length === 0 ? [] : [told(firing).join('; ')]),
    ...(over.length === 0
      ? []
      : [`${firing.length === 0 ? '' : `RESOLVED ${over.length}: `}${told(over).join('; ')}`]),
    ...(group.truncated === 0 ? [] : [`and ${group.truncated} more`]),
  ]
  const words: Record<string, string> = {
    status: firing.length > 0 ? `FIRING ${firing.length}` : `RESOLVED ${over.length}`,
    count: String(firing.length + over.length),
    firing: String(firing.length),
    resolved: String(over.length),
    alerts: parts.join('; '),
    receiver: group.receiver,
    title: group.title,
  }
  const whole = fill(text, (word) => words[word] ?? common(group.alerts, word))
  return cut(whole === '' ? (words['status'] ?? '') : whole, limit)
}

/** What a word stands for; what has no value is left out, with the white space and a colon that it leaves behind. */
function fill(template: string, value: (word: string) => string): string {
  return template
    .replace(/\{([^{}]*)\}/g, (_all, word: string) => value(word))
    .replace(/[ \t]+/g, ' ')
    .replace(/ +:/g, ':')
    .replace(/^[\s:]+|[\s:]+$/g, '')
}

function wordOf({ firing, labels, annotations, value }: Alert, word: string): string {
  const [kind, ...rest] = word.split('.')
  const name = rest.join('.')
  switch (kind) {
    case 'label':
      return labels.get(name) ?? ''
    case 'annotation':
      return annotations.get(name) ?? ''
    case 'status':
      return firing ? 'FIRING' : 'RESOLVED'
    case 'name':
      return labels.get('alertname') ?? 'alert'
    case 'where':
      return labels.get('instance') ?? labels.get('host') ?? ''
    case 'summary':
      return annotations.get('summary') ?? annotations.get('message') ?? annotations.get('description') ?? ''
    case 'description':
      return annotations.get('description') ?? ''
    case 'severity':
      return labels.get('severity') ?? ''
    default:
      return value
  }
}

/** A label or annotation of the whole message: the value that all alerts have. */
function common(alerts: readonly Alert[], word: string): string {
  const values = new Set(alerts.map((alert) => wordOf(alert, word)))
  return values.size === 1 ? ([...values][0] ?? '') : ''
}

/** Never in the middle of a character that takes two places. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const kept = text.slice(0, limit - 3)
  return `${kept.isWellFormed() ? kept : kept.slice(0, -1)}...`
}

const severities: Record<string, Priority> = {
  critical: 0,
  emergency: 0,
  page: 0,
  disaster: 0,
  high: 1,
  error: 1,
  major: 1,
  info: 3,
  none: 3,
}

/** By the gravest alert that fires; news that something is over is ordinary. */
export function priorityOf(group: AlertGroup): Priority {
  const found = group.alerts.map(({ firing, labels }) =>
    firing ? (severities[labels.get('severity')?.toLowerCase() ?? ''] ?? 2) : 3,
  )
  const gravest = Math.min(...found, 3)
  const firing = group.alerts.some((alert) => alert.firing)
  return firing && (gravest === 0 || gravest === 1 || gravest === 3) ? gravest : 2
}

/** What makes two notices the same: the group, and each alert with its state and beginning. */
export function identityOf(group: AlertGroup): string {
  const alerts = group.alerts.map(({ fingerprint, labels, firing, startsAt }) => [
    fingerprint === '' ? [...labels].sort(([a], [b]) => (a < b ? -1 : 1)) : fingerprint,
    firing,
    startsAt,
  ])
  return JSON.stringify([
    group.groupKey,
    group.receiver,
    group.title,
    alerts.map((one) => JSON.stringify(one)).sort(),
  ])
}
