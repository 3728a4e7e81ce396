/** The bodies of the interface that the pages of the configuration read, derived from the schemas that the appliance checks them by. */
import type { conflictList, history, settingList } from '#intake/http/config-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'

export type {
  Restored,
  RestoreState,
} from '#intake/http/backup-schemas.ts'
export type { Applied, Checked, Field, SettingsForm, Trial } from '#intake/http/form-schemas.ts'

export type SettingsView = Shape<typeof settingList>
export type HistoryPage = Shape<typeof history>
export type RevisionView = HistoryPage['items'][number]
export type ConflictsView = Shape<typeof conflictList>
export type ConflictView = ConflictsView['items'][number]
