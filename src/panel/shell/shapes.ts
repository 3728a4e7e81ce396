/**
 * The bodies of the interface that several pages read, derived from the schemas that the appliance checks them by.
 * A page's own shapes are derived the same way beside the page.
 */

import type { line, lineList } from '#intake/http/line-schemas.ts'
import type { accepted, inboxPage, messageDetail, messagePage } from '#intake/http/message-schemas.ts'
import type { Home, Session } from '#intake/http/panel-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import type { totals } from '#intake/http/status-schemas.ts'
import type { createdToken } from '#intake/http/token-schemas.ts'

export type LineView = Shape<typeof line>
export type LineListView = Shape<typeof lineList>
export type MessagePage = Shape<typeof messagePage>
export type MessageView = MessagePage['items'][number]
export type DeliveryView = MessageView['deliveries'][number]
export type MessageDetail = Shape<typeof messageDetail>
export type TimelineView = MessageDetail['timeline'][number]
export type AcceptedView = Shape<typeof accepted>
export type InboxPage = Shape<typeof inboxPage>
export type ReceivedView = InboxPage['items'][number]
export type TotalsView = Shape<typeof totals>
export type CreatedToken = Shape<typeof createdToken>

export type Role = SelfView['role']
export type SessionView = Session
export type SelfView = NonNullable<Session['user']>
export type ApplianceView = Session['appliance']
export type HomeView = Home
export type MemberView = Home['members'][number]
