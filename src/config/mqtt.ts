/** `intake.mqtt`: the broker that alerts come from and that is told what becomes of them. Each member's own. */
import type { Parsed, Section } from './section.ts'
import { matching } from './values.ts'

export interface MqttConfig {
  broker: { tls: boolean; host: string; port: number }
  /** What every topic begins with, without a slash at the end. The members of a pair have the same one. */
  topic: string
  /** Home Assistant's discovery prefix; absent: nothing is announced. */
  discovery?: string
  user?: string
  password?: string
  /** File with the certificates of the authority that signed the broker's; absent: the well-known ones. */
  ca?: string
  /** Recipients of what names none. */
  to: string[]
}

const PLAIN_PORT = 1_883
const TLS_PORT = 8_883

function parseBroker(text: string): Parsed<MqttConfig['broker']> {
  const allowed =
    'write mqtt://host:port, or mqtts://host:port for TLS; user and password have keys of their own'
  const url = URL.canParse(text) ? new URL(text) : undefined
  const tls = url?.protocol === 'mqtts:'
  if (url === undefined || (!tls && url.protocol !== 'mqtt:') || url.hostname === '') return { allowed }
  if (url.username !== '' || url.password !== '' || url.pathname.length > 1 || url.search !== '')
    return { allowed }
  const port = url.port === '' ? (tls ? TLS_PORT : PLAIN_PORT) : Number(url.port)
  return { value: { tls, host: url.hostname.replace(/^\[|\]$/g, ''), port } }
}

/** @param path makes a file's name absolute */
export function readMqtt(intake: Section, path: (text: string) => Parsed<string>): MqttConfig | undefined {
  const present = intake.has('mqtt')
  const section = intake.section('mqtt')
  if (present) section.required('url')
  const broker = section.parsed('url', parseBroker)
  // MQTT 3.1.1, 4.7.3: levels may be empty, but no wildcard may stand in a topic that is published to.
  const level = '[A-Za-z0-9._-]+'
  const topic = section.parsed(
    'topic',
    matching(
      new RegExp(`^(?=.{1,100}$)${level}(?:/${level})*$`),
      'write a topic such as twinline or site/twinline',
    ),
  )
  const announces = section.flag('homeAssistant', false)
  const prefix = section.parsed(
    'discoveryPrefix',
    matching(new RegExp(`^(?=.{1,100}$)${level}(?:/${level})*$`), 'write a topic such as homeassistant'),
  )
  const anyText = matching(/^[^\0]{1,1000}$/, 'write 1 to 1000 characters')
  const user = section.parsed('user', anyText)
  const password = section.parsed('password', anyText, true)
  if (password !== undefined && user === undefined) section.problem('password', 'needs a user')
  const ca = section.parsed('ca', path)
  if (ca !== undefined && broker?.tls === false)
    section.problem('ca', 'is for TLS only; write mqtts:// in url')
  const to = section.words('to').map(({ word }) => word)
  section.finish()
  if (broker === undefined) return undefined
  return {
    broker,
    topic: topic ?? 'twinline',
    to,
    ...(announces ? { discovery: prefix ?? 'homeassistant' } : {}),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
  }
}
