/** The configuration as the program sees it: every default filled in, durations in ms. schema.ts makes it from YAML. */

export interface Config {
  /** This appliance's name; unique among the members of a pair. */
  node: string
  /** Directory of the store and all files the program writes. */
  data: string
  http?: { listen: Listen }
  https?: { listen: Listen; certificate?: string; key?: string }
  lines: LineConfig[]
  routes: RouteConfig[]
  /** How long after acceptance a message may be sent when it does not say itself, ms. */
  validity: number
  retention: { queue: number; archive: number }
  /** Free space, in bytes, below which nothing more is accepted so that what was accepted can still be finished. */
  reserve: number
  log: { level: 'debug' | 'info' | 'warn' | 'error' }
}

export interface Listen {
  host: string
  port: number
}

export interface LineConfig {
  id: string
  kind: 'gsm'
  port: PortAddress
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
  /** Dispatch does not use it until somebody enables it. */
  disabled: boolean
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
}
