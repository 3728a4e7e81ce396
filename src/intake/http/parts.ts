/** What the routes may use of the rest of the program, and the type of the server that they are added to. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { Settings } from '#config/settings.ts'
import type { Trials } from '#config/trials.ts'
import type { Clock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { Dispatch } from '#dispatch/contract.ts'
import type { RunningDispatch } from '#dispatch/dispatch.ts'
import type { FoundPort } from '#dispatch/modem-search.ts'
import type { StormView } from '#dispatch/storm-guard.ts'
import type { FaxDocuments } from '#fax/documents/contract.ts'
import type { Metrics } from '#notify/metrics.ts'
import type { Store } from '#store/contract.ts'
import type { ApplianceNames } from './appliance-name.ts'
import type { Records } from './audit-routes.ts'
import type { Access } from './auth.ts'
import type { BackupService } from './backup-routes.ts'
import type { Forward } from './forward.ts'
import type { HomePage } from './home.ts'
import type { InboundService } from './inbound-routes.ts'
import type { LdapService } from './ldap-routes.ts'
import type { Live } from './live.ts'
import type { OwnConfigurationService } from './own-routes.ts'
import type { PairService } from './pair-routes.ts'
import type { SchemaTypes } from './schemas.ts'
import type { Setup } from './setup.ts'
import type { SupportSource } from './support.ts'

export type Role = 'ACTIVE' | 'STANDBY'

export interface Services {
  dispatch: Dispatch
  store: Store
  clock: Clock
  log: Log
  metrics: Metrics
  version: string
  node: string
  role(): Role
  /** The audit and failover logs; an engine without a log of operations has none. */
  records?: Records
  /** The replicated settings; an engine without a log of operations has none. */
  settings?: Settings
  /** Changes of the settings that are taken back unless confirmed; there where settings are. */
  trials?: Trials
  /** Absent on an appliance without fax lines. */
  documents?: FaxDocuments
  /** Why nothing goes out on a channel: a document is not even read then. */
  withoutLine?: RunningDispatch['withoutLine']
  /** Whether recipients can be reached, for those that are named before the document. */
  check?: RunningDispatch['check']
  /** The member's configuration file. */
  own?: OwnConfigurationService
  /** Looks for modems at ports that no line uses; bounded in time. */
  modems?: () => Promise<FoundPort[]>
  /** Where a backup takes everything from, and a restore puts it. */
  backup?: BackupService
  /** What a support bundle takes from outside of the interface. */
  support?: SupportSource
  /** What is done about received messages. */
  inbound?: InboundService
  /** Contacts from a directory; absent where the file names none. */
  ldap?: LdapService
  /** What the storm guard holds back. */
  storm?(): StormView
  /** The way to the active member. Absent on an appliance that stands alone. */
  forward?: Forward
  /** Absent on an appliance that stands alone. */
  pair?: PairService
  /** Where the built panel lies; absent: it was not built. */
  panel?: string
  /** Whether a message could be delivered now, and if not, why. */
  ready(): { ready: boolean; reason?: string }
}

export interface Parts extends Services {
  access: Access
  setup: Setup
  names: ApplianceNames
  home: HomePage
  live: Live
}

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  SchemaTypes
>
