/**
 * Least-cost routing, pure: which lines may serve a destination, in tiers of equal cost.
 *
 * Least cost first, then the priority of fax lines, then the order in the file, then load: within a tier a free line is taken before a busy one; a
 * dearer tier serves only while no line of the cheaper ones is usable (busy is usable, broken is not).
 */
import type { LineConfig, RouteConfig } from '#config/types.ts'
import type { Channel } from '#messages/message.ts'

/** Lines by id, cheapest tier first, each tier in order of preference. */
export type Tiers = readonly (readonly string[])[]

export interface Router {
  /** Tiers for a destination; empty when no route leads there. Equal destinations share one object. */
  tiers(channel: Channel, to: string): Tiers
  /** The members by whose own lines routes lead to a destination; undefined where a line of any member will do. */
  members(to: string): readonly string[] | undefined
}

/** What lines of a kind send. */
export const channelOfKind: Record<LineConfig['kind'], Channel> = { gsm: 'sms', fax: 'fax' }

export function createRouter(lines: readonly LineConfig[], routes: readonly RouteConfig[]): Router {
  const channelOf = new Map(lines.map((line) => [line.id, channelOfKind[line.kind]]))
  // Without routes every line of the channel serves every destination; so does a fax line while the routes name none.
  const everywhere: RouteConfig = { match: '*', lines: lines.map((line) => line.id), cost: 0 }
  const table: readonly RouteConfig[] = routes.length > 0 ? routes : [everywhere]
  const noFax = !table.some((route) => route.lines.some((line) => channelOf.get(line) === 'fax'))
  const tableOf = (channel: Channel) => (channel === 'fax' && noFax ? [everywhere] : table)
  const urgency = new Map(lines.map((line) => [line.id, line.kind === 'fax' ? line.priority : 0]))
  const byRoutes = new Map<string, Tiers>()
  return {
    tiers(channel, to) {
      const routes = tableOf(channel)
      const matching = routes.flatMap((route, index) => (matches(route.match, to) ? [index] : []))
      const key = `${channel}:${matching.join(',')}`
      let tiers = byRoutes.get(key)
      if (!tiers) {
        tiers = makeTiers(
          matching.flatMap((index) => routes[index] ?? []),
          (line) => channelOf.get(line) === channel,
        ).map((tier) => [...tier].sort((a, b) => (urgency.get(b) ?? 0) - (urgency.get(a) ?? 0)))
        byRoutes.set(key, tiers)
      }
      return tiers
    },
    members(to) {
      const named = table.filter((route) => matches(route.match, to)).map((route) => route.members)
      return named.every((members) => members !== undefined) ? [...new Set(named.flat())] : undefined
    },
  }
}

export const matches = (pattern: string, to: string): boolean =>
  pattern.endsWith('*') ? to.startsWith(pattern.slice(0, -1)) : to === pattern

function makeTiers(routes: readonly RouteConfig[], serves: (line: string) => boolean): Tiers {
  const byCost = new Map<number, string[]>()
  const placed = new Set<string>()
  for (const route of [...routes].sort((a, b) => a.cost - b.cost)) {
    for (const line of route.lines) {
      if (placed.has(line) || !serves(line)) continue
      placed.add(line)
      const tier = byCost.get(route.cost)
      if (tier) tier.push(line)
      else byCost.set(route.cost, [line])
    }
  }
  return [...byCost.values()]
}
