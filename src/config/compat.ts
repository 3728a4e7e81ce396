/**
 * `intake.compat`: which foreign HTTP interfaces the appliance speaks, and to whom alerts go that name nobody. Each is
 * off until it is named here.
 */
import type { Section } from './section.ts'

/** The foreign interfaces whose requests name their recipients. */
export const plainApis = ['smseagle', 'kannel', 'ozeki', 'twilio', 'smsGateway'] as const
/** Those that name nobody: they go to the recipients of the configuration, or of the request's `?to=`. */
const listApis = ['homeAssistant', 'apprise'] as const
const alertApis = ['alertmanager', 'grafana'] as const

export interface AlertHookConfig {
  to: string[]
  /** The message; see alertWords. */
  text: string
  /** One alert within `{alerts}`; see alertWords. */
  alert: string
  /** Send a message when alerts are over. */
  resolved: boolean
  /** Characters of a message; what is longer ends in an ellipsis. */
  limit: number
}

export type CompatConfig = Record<(typeof plainApis)[number], boolean> &
  Partial<Record<(typeof listApis)[number], { to: string[] }>> &
  Partial<Record<(typeof alertApis)[number], AlertHookConfig>>

/** What may stand in braces in `text` and in `alert`; `label.X` and `annotation.X` name any label or annotation. */
const alertWords = {
  text: ['status', 'count', 'firing', 'resolved', 'alerts', 'receiver', 'title'],
  alert: ['status', 'name', 'where', 'summary', 'description', 'severity', 'value'],
} as const

export const alertDefaults = { text: '{status}: {alerts}', alert: '{name} {where}: {summary}', limit: 459 }

/** @returns undefined when nothing of it is switched on */
export function readCompat(intake: Section): CompatConfig | undefined {
  const section = intake.section('compat')
  const config: CompatConfig = {
    smseagle: section.flag('smseagle', false),
    kannel: section.flag('kannel', false),
    ozeki: section.flag('ozeki', false),
    twilio: section.flag('twilio', false),
    smsGateway: section.flag('smsGateway', false),
  }
  for (const name of listApis) {
    const list = section.section(name)
    const to = readRecipients(list, section.has(name))
    list.finish()
    if (section.has(name)) config[name] = { to }
  }
  for (const name of alertApis) {
    const hook = readAlertHook(section.section(name), section.has(name))
    if (section.has(name)) config[name] = hook
  }
  section.finish()
  const on =
    plainApis.some((name) => config[name]) || [...listApis, ...alertApis].some((name) => config[name])
  return on ? config : undefined
}

function readAlertHook(section: Section, wanted: boolean): AlertHookConfig {
  const hook = {
    to: readRecipients(section, wanted),
    text: readTemplate(section, 'text'),
    alert: readTemplate(section, 'alert'),
    resolved: section.flag('resolved', true),
    limit: section.whole('limit', alertDefaults.limit, { min: 20, max: 10_000 }),
  }
  section.finish()
  return hook
}

function readRecipients(section: Section, wanted: boolean): string[] {
  const words = section.words('to')
  if (wanted && words.length === 0)
    section.problem('to', 'must name at least one number, contact or group, such as to: [ops]')
  return words.map(({ word }) => word)
}

function readTemplate(section: Section, key: 'text' | 'alert'): string {
  const known: readonly string[] = alertWords[key]
  const allowed = `in braces may stand: ${known.join(', ')}, label.NAME, annotation.NAME`
  return (
    section.parsed(key, (text) => {
      const words = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, word]) => word ?? '')
      const strange = words.some((word) => !known.includes(word) && !/^(?:label|annotation)\.[^.]/.test(word))
      return strange || text.trim() === '' ? { allowed } : { value: text }
    }) ?? alertDefaults[key]
  )
}
