/**
 * The settings that every member of a pair has alike: what each may be, and how each is written. One code reads them
 * from the file, from a request and from another member's revision. Pure.
 */
import { formatDuration } from '#core/duration.ts'
import { type Book, checkBook, readContacts, readGroups } from './contacts.ts'
import { isEntryList, placeText } from './entries.ts'
import { inboundDefaults, inboundPaths, readInbound, withInbound, writtenInbound } from './inbound.ts'
import { quoted, Section } from './section.ts'
import { Source } from './source.ts'
import { readSources } from './sources.ts'
import { noStorm, readStorm, writtenStorm } from './storm.ts'
import type { RouteConfig, SharedConfig } from './types.ts'
import { formatSize, matching, parseSize } from './values.ts'

const second = 1_000
const minute = 60 * second
const day = 24 * 60 * minute

/** Longest validity that an SMS can carry: 63 weeks (3GPP TS 23.040 9.2.3.12.1). */
const longestValidity = 63 * 7 * day
const longestRetention = 3_640 * day

const levels = ['debug', 'info', 'warn', 'error'] as const

/** Every setting that replicates. A revision changes whole paths. */
export const sharedPaths = [
  'routes',
  'validity',
  'retention.queue',
  'retention.archive',
  'reserve',
  'log.level',
  'contacts',
  'groups',
  'storm',
  'sources',
  ...inboundPaths,
] as const
export type SharedPath = (typeof sharedPaths)[number]

export const isSharedPath = (path: string): path is SharedPath => sharedPaths.some((known) => known === path)

export const sharedDefaults = (): SharedConfig => ({
  routes: [],
  validity: 30 * minute,
  retention: { queue: 7 * day, archive: 400 * day },
  reserve: 16e6,
  log: { level: 'info' },
  contacts: [],
  groups: [],
  storm: noStorm(),
  sources: [],
  inbound: inboundDefaults(),
})

/** Only what is shared of it. */
export const sharedOf = (config: SharedConfig): SharedConfig => {
  const { routes, validity, retention, reserve, log, contacts, groups, inbound, storm, sources } = config
  return { routes, validity, retention, reserve, log, contacts, groups, inbound, storm, sources }
}

/** What lines a route may name. */
export interface KnownLines {
  node: string
  /** The ids of this appliance's lines. */
  lines: readonly string[]
  /** Another member may have the lines that this one lacks, so a name that is unknown here is no mistake. */
  paired: boolean
}

/** Reads the shared keys of a section; what is wrong is reported to its source, and the default returned. */
export function readShared(root: Section, known: KnownLines): SharedConfig {
  const byDefault = sharedDefaults()
  const range = { min: second, max: longestRetention }
  const routes = readRoutes(root, known)
  const validity = root.duration('validity', byDefault.validity, { min: 5 * second, max: longestValidity })
  const retention = root.section('retention')
  const queue = retention.duration('queue', byDefault.retention.queue, range)
  const archive = retention.duration('archive', byDefault.retention.archive, range)
  retention.finish()
  const reserve = root.parsed('reserve', parseSize) ?? byDefault.reserve
  const log = root.section('log')
  const level = log.choice('level', levels) ?? byDefault.log.level
  log.finish()
  return {
    routes,
    validity,
    retention: { queue, archive },
    reserve,
    log: { level },
    inbound: readInbound(root),
    ...readBook(root),
    storm: readStorm(root),
    sources: readSources(root),
  }
}

function readBook(root: Section): Book {
  const contacts = root.plain('contacts')
  const groups = root.plain('groups')
  const book: Book = {
    contacts: contacts ? readContacts(contacts.value, contacts.problem) : [],
    groups: groups ? readGroups(groups.value, groups.problem) : [],
  }
  checkBook(book, ([list, ...path], text) => (list === 'contacts' ? contacts : groups)?.problem(path, text))
  return book
}

export const givenPaths = (root: Section): SharedPath[] =>
  sharedPaths.filter((path) => {
    const [key = '', inner] = path.split('.')
    return inner === undefined ? root.has(key) : root.holdsSection(key) && root.section(key).has(inner)
  })

/** The settings as people write them, by path. */
export function written(shared: SharedConfig): Record<SharedPath, unknown> {
  return {
    routes: shared.routes.map(({ match, lines, cost }) => ({ match, lines: [...lines], cost })),
    validity: formatDuration(shared.validity),
    'retention.queue': formatDuration(shared.retention.queue),
    'retention.archive': formatDuration(shared.retention.archive),
    reserve: formatSize(shared.reserve),
    'log.level': shared.log.level,
    contacts: shared.contacts.map((contact) => ({ ...contact })),
    storm: writtenStorm(shared.storm),
    sources: shared.sources.map((one) => ({ ...one })),
    groups: shared.groups.map((group) => ({ ...group, members: [...group.members] })),
    ...writtenInbound(shared.inbound),
  }
}

/** Values by path as a file has them: `retention.queue` becomes `queue` below `retention`. */
export function nested(values: readonly { path: string; value: unknown }[]): Record<string, unknown> {
  const whole: Record<string, unknown> = {}
  for (const { path, value } of values) {
    const [key = '', inner] = path.split('.')
    if (inner === undefined) whole[key] = value
    else whole[key] = { ...(whole[key] as object | undefined), [inner]: value }
  }
  return whole
}

export interface SettingProblem {
  /** Such as `routes[0].lines[1]`. */
  path: string
  /** What is wrong and what is allowed. */
  text: string
}

export type ReadSetting = { shared: SharedConfig; value: unknown } | { problems: SettingProblem[] }

/**
 * Reads one setting as it is written, a span as `30m`.
 * @returns the settings with it in place of a default, and how it is written at its shortest
 */
export function readSetting(path: SharedPath, value: unknown, known: KnownLines): ReadSetting {
  if (isEntryList(path)) return readList(path, value)
  const [key = '', inner] = path.split('.')
  // JSON is YAML, so the reader of the file reads it too.
  const source = new Source(JSON.stringify({ [key]: inner === undefined ? value : { [inner]: value } }))
  const root = new Section(source, '', source.root())
  root.required(key)
  const shared = readShared(root, known)
  if (source.problems.length === 0) return { shared, value: written(shared)[path] }
  return { problems: source.problems.map(({ key, text }) => ({ path: key === '' ? path : key, text })) }
}

/** Without a way over YAML, which takes seconds for 10,000 contacts. */
function readList(path: 'contacts' | 'groups', value: unknown): ReadSetting {
  const problems: SettingProblem[] = []
  const report = (steps: readonly (string | number)[], text: string) =>
    problems.push({ path: path + placeText(steps), text })
  if (value === null) report([], 'has no value; give a list')
  const shared = { ...sharedDefaults() }
  if (path === 'contacts') shared.contacts = readContacts(value ?? undefined, report)
  else shared.groups = readGroups(value ?? undefined, report)
  return problems.length > 0 ? { problems } : { shared, value: written(shared)[path] }
}

/** @returns `into` with the setting at the path taken from `from` */
export function withSetting(into: SharedConfig, path: SharedPath, from: SharedConfig): SharedConfig {
  switch (path) {
    case 'retention.queue':
      return { ...into, retention: { ...into.retention, queue: from.retention.queue } }
    case 'retention.archive':
      return { ...into, retention: { ...into.retention, archive: from.retention.archive } }
    case 'log.level':
      return { ...into, log: from.log }
    case 'inbound.rules':
    case 'inbound.blacklist':
    case 'inbound.acknowledge':
    case 'inbound.stop':
    case 'inbound.replies':
    case 'inbound.own':
      return { ...into, inbound: withInbound(into.inbound, path, from.inbound) }
    default:
      return { ...into, [path]: from[path] }
  }
}

const linePattern = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62}\/)?[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/

/** `gsm0` is a line of that id on whichever member, `box-b/gsm0` the one of that member. */
const here = (name: string, node: string): string =>
  name.startsWith(`${node}/`) ? name.slice(node.length + 1) : name

function readRoutes(root: Section, { node, lines, paired }: KnownLines): RouteConfig[] {
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
      if (paired && !linePattern.test(word))
        problem(`${quoted(word)} is no name of a line; write gsm0, or box-b/gsm0 for the line of one member`)
      if (!paired && !lines.includes(here(word, node)))
        problem(`there is no line ${quoted(word)}; lines: ${lines.join(', ') || 'none'}`)
    }
    const cost = section.whole('cost', 0, { min: 0, max: 1_000_000 })
    section.finish()
    return { match, lines: words.map(({ word }) => word), cost }
  })
}

/** The routes as this member's dispatch knows its lines: without its own name before them. Other members' keep theirs. */
export const routesHere = (routes: readonly RouteConfig[], node: string): RouteConfig[] =>
  routes.map((route) => {
    const lines = route.lines.map((name) => here(name, node))
    if (!route.lines.every((name) => name.includes('/'))) return { ...route, lines }
    return { ...route, lines, members: [...new Set(route.lines.flatMap((name) => name.split('/', 1)))] }
  })

/** Lines that routes name and this member does not have; those of another member by name are none of its business. */
export function missingLines(routes: readonly RouteConfig[], { node, lines }: KnownLines): SettingProblem[] {
  return routes.flatMap((route, index) =>
    route.lines.flatMap((name, place) => {
      const id = here(name, node)
      if (id.includes('/') || lines.includes(id)) return []
      const text = `this appliance has no line ${quoted(name)}; without another member that has one it serves nobody`
      return [{ path: `routes[${index}].lines[${place}]`, text }]
    }),
  )
}
