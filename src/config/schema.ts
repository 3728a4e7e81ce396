/**
 * The configuration's keys, their defaults and what each may be: the one place that knows both the YAML and the
 * Config that the program works with. A later feature adds its keys here and in types.ts.
 */
import { resolve } from 'node:path'
import { readPair } from './pair.ts'
import { quoted, type Section } from './section.ts'
import type { Config, LineConfig, Listen, RouteConfig } from './types.ts'
import { matching, parseListen, parseNodeName, parsePort, parseRate, parseSize } from './values.ts'

const second = 1_000
const minute = 60 * second
const day = 24 * 60 * minute

/** Longest validity that an SMS can carry: 63 weeks (3GPP TS 23.040 9.2.3.12.1). */
const longestValidity = 63 * 7 * day
const longestRetention = 3_640 * day

export const defaults = {
  data: '/var/lib/twinline',
  validity: 30 * minute,
  retention: { queue: 7 * day, archive: 400 * day },
  reserve: 16e6,
} as const

const levels = ['debug', 'info', 'warn', 'error'] as const

export interface Surroundings {
  /** Paths in the configuration are relative to this directory. */
  directory: string
  hostname: string
}

/** Reads the whole configuration; what is wrong is reported to the section's source. */
export function readConfig(root: Section, { directory, hostname }: Surroundings): Config {
  const path = (text: string) => ({ value: resolve(directory, text) })
  const config: Config = {
    node: root.parsed('node', parseNodeName) ?? nodeName(hostname),
    data: root.parsed('data', path) ?? defaults.data,
    lines: [],
    routes: [],
    validity: defaults.validity,
    retention: { ...defaults.retention },
    reserve: defaults.reserve,
    log: { level: 'info' },
  }
  readListeners(root, config, path)
  config.lines = readLines(root)
  config.routes = readRoutes(root, config.lines)
  config.validity = root.duration('validity', defaults.validity, {
    min: 5 * second,
    max: longestValidity,
  })
  const retention = root.section('retention')
  const range = { min: second, max: longestRetention }
  config.retention = {
    queue: retention.duration('queue', defaults.retention.queue, range),
    archive: retention.duration('archive', defaults.retention.archive, range),
  }
  retention.finish()
  config.reserve = root.parsed('reserve', parseSize) ?? defaults.reserve
  const log = root.section('log')
  config.log.level = log.choice('level', levels) ?? 'info'
  log.finish()
  const pair = readPair(root, [config.http, config.https])
  if (pair !== undefined) config.pair = pair
  root.finish()
  return config
}

/** A name made from the host's: what a name may not hold becomes a dash. */
export function nodeName(hostname: string): string {
  const name = hostname
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63)
  return name === '' ? 'twinline' : name
}

function readListeners(root: Section, config: Config, path: (text: string) => { value: string }): void {
  const http = root.section('http')
  const plain = readListen(root, 'http', http)
  if (plain !== undefined) config.http = { listen: plain }
  http.finish()

  const https = root.section('https')
  const secure = readListen(root, 'https', https)
  const certificate = https.parsed('certificate', path)
  const key = https.parsed('key', path)
  if ((certificate === undefined) !== (key === undefined)) {
    root.problem('https', 'certificate and key go together: give both or neither')
  }
  if (secure !== undefined) {
    config.https =
      certificate === undefined || key === undefined
        ? { listen: secure }
        : { listen: secure, certificate, key }
  }
  https.finish()
  if (plain && secure && plain.port === secure.port && plain.host === secure.host && plain.port !== 0) {
    root.problem('https', 'http and https cannot listen at the same address; give one of them another port')
  }
}

function readListen(root: Section, key: string, section: Section): Listen | undefined {
  if (!root.has(key)) {
    section.has('listen')
    return undefined
  }
  section.required('listen')
  return section.parsed('listen', parseListen)
}

function readLines(root: Section): LineConfig[] {
  const ids = new Map<string, string>()
  const ports = new Map<string, string>()
  return root.sections('lines').flatMap((section) => {
    const line = readLine(section)
    if (line === undefined) return []
    const { id, port } = line
    const twin = ids.get(id)
    if (twin !== undefined) section.problem('id', `${quoted(id)} is already the id of ${twin}`)
    ids.set(id, section.path)
    const device =
      port.scheme === 'serial' ? port.path : port.scheme === 'tcp' ? `${port.host}:${port.port}` : ''
    const holder = ports.get(device)
    if (holder !== undefined) section.problem('port', `${device} already belongs to line ${holder}`)
    if (device !== '') ports.set(device, id)
    return [line]
  })
}

function readLine(section: Section): LineConfig | undefined {
  for (const key of ['id', 'kind', 'port']) section.required(key)
  const id = section.parsed(
    'id',
    matching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'up to 32 letters, digits, - and _'),
  )
  const kind = section.choice('kind', ['gsm'])
  const port = section.parsed('port', parsePort)
  const profile = section.parsed(
    'profile',
    matching(/^[A-Za-z0-9._-]{1,64}$/, 'write the name of a profile without .yaml'),
  )
  const pin = section.parsed('pin', matching(/^[0-9]{4,8}$/, 'write 4 to 8 digits'), true)
  const smsc = section.parsed('smsc', matching(/^\+?[0-9]{3,20}$/, 'write a number such as "+491710760000"'))
  const imei = section.parsed('imei', matching(/^[0-9]{15}$/, 'write the 15 digits of the modem'))
  const rate = section.parsed('rate', parseRate)
  const reports = section.flag('reports', true)
  const wide = section.parsed(
    'concatenation',
    matching(
      /^(8|16)$/,
      'write 8 or 16: the width in bits of the reference that joins the parts of a long SMS',
    ),
  )
  const disabled = section.flag('disabled', false)
  section.finish()
  if (id === undefined || kind === undefined || port === undefined) return undefined
  return {
    id,
    kind,
    port,
    reports,
    concatenation: wide === '16' ? 16 : 8,
    disabled,
    ...(profile === undefined ? {} : { profile }),
    ...(pin === undefined ? {} : { pin }),
    ...(smsc === undefined ? {} : { smsc }),
    ...(imei === undefined ? {} : { imei }),
    ...(rate === undefined ? {} : { rate }),
  }
}

function readRoutes(root: Section, known: readonly LineConfig[]): RouteConfig[] {
  const ids = known.map((line) => line.id)
  const number = matching(
    /^(\*|\+?[0-9]{1,20}\*?)$/,
    'write "*" for every number, a beginning such as "+49*", or a whole number',
  )
  return root.sections('routes').map((section) => {
    for (const key of ['match', 'lines']) section.required(key)
    const match = section.parsed('match', number) ?? '*'
    const words = section.words('lines')
    if (section.has('lines') && words.length === 0) section.problem('lines', 'must name at least one line')
    for (const { word, problem } of words) {
      if (!ids.includes(word)) problem(`there is no line ${quoted(word)}; lines: ${ids.join(', ') || 'none'}`)
    }
    const cost = section.whole('cost', 0, { min: 0, max: 1_000_000 })
    section.finish()
    return { match, lines: words.map(({ word }) => word), cost }
  })
}
