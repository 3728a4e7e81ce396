/** The configuration as the program sees it: every default filled in, durations in ms. schema.ts makes it from YAML. */
import type { PairMode } from '#messages/operation.ts'
import type { CompatConfig } from './compat.ts'
import type { Contact, Group } from './contacts.ts'
import type { DocumentConfig } from './documents.ts'
import type { FaxSettingsConfig } from './fax.ts'
import type { InboundSettings, WebhookConfig } from './inbound.ts'
import type { LdapConfig } from './ldap.ts'
import type { MailConfig } from './mail.ts'
import type { ModbusConfig } from './modbus.ts'
import type { MqttConfig } from './mqtt.ts'
import type { SmtpConfig } from './smtp.ts'
import type { SourceConfig } from './sources.ts'
import type { StormConfig } from './storm.ts'

export interface Config extends SharedConfig {
  /** This appliance's name; unique among the members of a pair. */
  node: string
  /** Directory of the store and all files the program writes. */
  data: string
  http?: { listen: Listen }
  https?: { listen: Listen; certificate?: string; key?: string }
  lines: LineConfig[]
  /** `intake.mqtt` */
  mqtt?: MqttConfig
  /** `intake.modbus` */
  modbus?: ModbusConfig
  /** Absent on an appliance that stands alone: then there is no guard and no virtual IP. */
  pair?: PairConfig
  /** The foreign HTTP interfaces that it speaks; absent when none. */
  compat?: CompatConfig
  /** E-mail to SMS; absent when no mail is taken. */
  smtp?: SmtpConfig
  /** Where mail is handed in; absent when none is sent. */
  mail?: MailConfig
  /** `inbound.webhook`: where received messages are told. */
  webhook?: WebhookConfig
  /** What is taken to be faxed; absent: documentDefaults. */
  documents?: DocumentConfig
  /** Where contacts are taken from by schedule; absent: nowhere. */
  ldap?: LdapConfig
  /** Which of the shared settings the file gives, by path; the others are defaults. */
  given: readonly string[]
}

/**
 * What every member of a pair has alike: the file gives initial values, revisions replace them. Everything else in
 * Config is each member's own.
 */
export interface SharedConfig {
  /** A line is named by its id, which is a line of that id on whichever member, or as `node/id`. */
  routes: RouteConfig[]
  /** How long after acceptance a message may be sent when it does not say itself, ms. */
  validity: number
  retention: { queue: number; archive: number }
  /** Free space, in bytes, below which nothing more is accepted so that what was accepted can still be finished. */
  reserve: number
  log: { level: 'debug' | 'info' | 'warn' | 'error' }
  contacts: readonly Contact[]
  groups: readonly Group[]
  /** Off where nothing of it is written. */
  storm: StormConfig
  sources: readonly SourceConfig[]
  /** What is done about received messages. */
  inbound: InboundSettings
}

/** What one member of a pair says about itself; every span in ms. */
export interface PairConfig {
  /** The guard's broker: heartbeats and role messages. */
  listen: Listen
  /** The gateway's broker: log, snapshots, documents, configuration. */
  logListen: Listen
  /** Where other members reach `listen`; each is a path of its own. The log is at the same hosts, at logListen's port. */
  advertise: Listen[]
  /** 1 to 255; the higher one becomes active when two begin together, and takes back with `preempt`. */
  priority: number
  /** The node that is preferred, whatever the priorities say. */
  master?: string
  profile: HeartbeatProfile
  mode: PairMode
  allow: AllowLists
  preempt: boolean
  switchover: 'automatic' | 'manual'
  vip?: VirtualIp
  /** The network's router: when it and every member are silent, this box is the one that is cut off. */
  lan?: { router: string }
  witness?: Listen
  accept: {
    /** How long an acceptance waits for another member's disk. */
    wait: number
    /** What to do when no other member holds it by then. */
    oneDisk: 'accept' | 'refuse'
  }
  /** How long a box that starts and hears nobody waits before it becomes active alone. */
  aloneAfter: number
  /** The gateway is taken for hung when its self-check has been silent for so long. */
  selfCheck: number
  /** Clients that reach a standby over HTTP are sent to the active (307) instead of being served. */
  redirect: boolean
}

export interface HeartbeatProfile {
  name: 'fast' | 'normal' | 'calm' | 'telisca' | 'custom'
  /** Between two heartbeats. */
  interval: number
  /** Heartbeats missed in a row after which a member is silent. */
  misses: number
  /** After the last missed one, how much longer is waited. */
  timeout: number
  /** How long the address and the right to transmit last after a renewal. */
  lease: number
  /** How often the active renews. */
  renew: number
  /** How long after its last sign of life an active is sure to have lost the address. */
  grantWait: number
}

export interface VirtualIp {
  address: string
  prefix: number
  family: 4 | 6
  /** Empty with driver `external`: the address is at the load balancer. */
  interface: string
  /** `external`: a load balancer asks /role. `none`: there is no common address. */
  driver: 'iproute2' | 'nft' | 'external' | 'none'
}

/** Networks in CIDR notation; an absent list allows everybody. */
export interface AllowLists {
  send?: string[]
  configure?: string[]
  sync?: string[]
}

export interface Listen {
  host: string
  port: number
}

/** By kind: what a line of each kind may be told. */
export type LineConfig = GsmLineConfig | FaxLineConfig

interface AnyLine {
  id: string
  port: PortAddress
  /** Dispatch does not use it until somebody enables it. */
  disabled: boolean
  /** The member whose line this is: it is connected here only while that member is lost and this one is active. */
  passive?: string
}

export interface GsmLineConfig extends AnyLine {
  kind: 'gsm'
  /** Ask for status reports. */
  reports: boolean
  /** Name of a profile in firmware-config/modems to use without probing. */
  profile?: string
  pin?: string
  /** Service centre number to assert instead of the SIM's own. */
  smsc?: string
  /** Bind to the modem with this IMEI, whatever port it shows up on. */
  imei?: string
  /** At most this many parts per span. */
  rate?: { parts: number; perMs: number }
  concatenation: 8 | 16
}

export interface FaxLineConfig extends AnyLine, FaxSettingsConfig {
  kind: 'fax'
}

export type PortAddress =
  | { scheme: 'serial'; path: string; baud: number; rtscts: boolean }
  | { scheme: 'tcp'; host: string; port: number }
  /** A simulated modem inside this process; `script` as in simulator/. */
  | { scheme: 'sim'; kind: 'gsm'; options: Record<string, string> }

export interface RouteConfig {
  /** `*`, or a prefix with `*` at the end, or a whole number. */
  match: string
  lines: string[]
  cost: number
  /** Whose lines it names, when it names each with its member (`box-b/gsm0`); the others then have no line for it. */
  members?: string[]
}
