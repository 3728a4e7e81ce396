/** The bodies of the interface that the records read, derived from the schemas that the appliance checks them by. */
import type { auditPage, auditReport, failoverDay } from '#intake/http/audit-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'

export type AuditPage = Shape<typeof auditPage>
export type AuditRecord = AuditPage['items'][number]
export type AuditReport = Shape<typeof auditReport>
export type FailoverDay = Shape<typeof failoverDay>
