/** The bodies of the interface that the pages of the pair read, derived from the schemas that the appliance checks them by. */
import type { AddressAnswer } from '#intake/http/address-routes.ts'
import type { OwnChecked, OwnConfiguration } from '#intake/http/own-schemas.ts'
import type { drillList, invitation, joined, pairStatus, recovery } from '#intake/http/pair-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'

export type PairView = Shape<typeof pairStatus>
export type OtherMember = PairView['members'][number]
export type Invitation = Shape<typeof invitation>
export type Joined = Shape<typeof joined>
export type Recovery = Shape<typeof recovery>
export type DrillReport = Shape<typeof drillList>['items'][number]
export type DrillKind = DrillReport['kind']
export type { AddressAnswer, OwnChecked, OwnConfiguration }
