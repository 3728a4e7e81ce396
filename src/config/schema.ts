/**
 * The configuration's keys, their defaults and what each may be: the one place that knows both the YAML and the
 * Config that the program works with. A later feature adds its keys here and in types.ts.
 */
import { resolve } from 'node:path'
import { readCompat } from './compat.ts'
import { readDocuments } from './documents.ts'
import { readFaxLine } from './fax.ts'
import { missingWays, readWebhook } from './inbound.ts'
import { readLdap } from './ldap.ts'
import { readMail } from './mail.ts'
import { readModbus } from './modbus.ts'
import { profileNames } from './modem-profiles.ts'
import { readMqtt } from './mqtt.ts'
import { readPair } from './pair.ts'
import { quoted, type Section } from './section.ts'
import { givenPaths, readShared, sharedDefaults } from './shared.ts'
import { readSmtp } from './smtp.ts'
import type { Config, LineConfig, Listen } from './types.ts'
import { matching, parseListen, parseNodeName, parsePort, parseRate } from './values.ts'

export const defaults = { data: '/var/lib/twinline' } as const

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
    ...sharedDefaults(),
    given: [],
  }
  readListeners(root, config, path)
  config.lines = readLines(root)
  const known = { node: config.node, lines: config.lines.map(({ id }) => id), paired: root.has('pair') }
  Object.assign(config, readShared(root, known))
  config.given = givenPaths(root)
  const pair = readPair(root, [config.http, config.https])
  if (pair !== undefined) config.pair = pair
  const intake = root.section('intake')
  const compat = readCompat(intake)
  if (compat !== undefined) config.compat = compat
  const mqtt = readMqtt(intake, path)
  if (mqtt !== undefined) config.mqtt = mqtt
  const modbus = readModbus(intake)
  if (modbus !== undefined) config.modbus = modbus
  const smtp = readSmtp(intake)
  if (smtp !== undefined) config.smtp = smtp
  intake.finish()
  const ldap = readLdap(root)
  if (ldap !== undefined) config.ldap = ldap
  const mail = readMail(root, path)
  if (mail !== undefined) config.mail = mail
  const documents = readDocuments(root)
  if (documents !== undefined) config.documents = documents
  const webhook = readWebhook(root)
  if (webhook !== undefined) config.webhook = webhook
  for (const { path, text } of missingWays(config)) root.problem(path, text)
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
  const kind = section.choice('kind', ['gsm', 'fax'])
  const port = section.parsed('port', parsePort)
  const disabled = section.flag('disabled', false)
  const passive = section.parsed('passive', parseNodeName)
  if (kind === 'fax') {
    const settings = readFaxLine(section)
    if (port?.scheme === 'sim')
      section.problem('port', 'there is no simulated fax modem; name the port of a real one')
    section.finish()
    if (id === undefined || port === undefined) return undefined
    return { id, kind, port, disabled, ...(passive === undefined ? {} : { passive }), ...settings }
  }
  const profile = section.choice('profile', profileNames('gsm'))
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
    ...(passive === undefined ? {} : { passive }),
  }
}
