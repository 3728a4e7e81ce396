/** Beginnings that several tests share, and questions to a world. */
import type { RoleEffect } from '#pair/role/contract.ts'
import { type Box, fast, type WorldOptions } from './box.ts'
import { World } from './world.ts'

/** Members that run for some time already: `a` is active. Profile fast. */
export function settled(options: Partial<WorldOptions> = {}): World & { a: Box; b: Box } {
  const world = new World({ members: 2, witness: false, seed: 3, profile: fast, ...options })
  world.startAll()
  world.run(6_000)
  return Object.assign(world, { a: world.box(0), b: world.box(1) })
}

type Kind = RoleEffect['effect']

/** When a member did something of this kind, since `from`; ms of the world. */
export const times = (world: World, node: string, kind: Kind, from = 0): number[] =>
  world.effects
    .filter((one) => one.at >= from && one.node === node && one.effect.effect === kind)
    .map(({ at }) => at)

/** What a member did, in order, heartbeats and other repetitions left out. */
export const deeds = (world: World, node: string, from: number, kinds: readonly Kind[]): string[] =>
  world.effects
    .filter((one) => one.at >= from && one.node === node && kinds.includes(one.effect.effect))
    .map(({ effect }) => effect.effect)

/** Since when a member is active, counted from now until it is, ms. */
export const untilActive = (world: World, box: Box, within = 10_000): number | undefined =>
  world.until(within, () => box.gateway.role?.role === 'active')

export const roles = (world: World): (string | undefined)[] =>
  world.boxes.map(({ gateway }) => gateway.role?.role)

/** The address is here and nowhere else. */
export const onlyAt = (world: World, box: Box): boolean => {
  const holders = world.holders()
  return holders.length === 1 && holders[0] === box
}
