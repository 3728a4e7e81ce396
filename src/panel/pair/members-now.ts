/** The members as they are now, out of the newest of everything that this page knows. */
import { status as live } from '../shell/live.ts'
import { session } from '../shell/session.ts'
import { type Member, membersOf } from './member-model.ts'
import type { PairView } from './shapes.ts'

export const membersNow = (pair: PairView): Member[] =>
  membersOf(pair, live.value?.members ?? [], session.value?.appliance.address)
