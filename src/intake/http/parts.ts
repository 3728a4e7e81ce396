/** What the routes may use of the rest of the program, and the type of the server that they are added to. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { Clock } from '#core/clock.ts'
import type { Log } from '#core/log.ts'
import type { Dispatch } from '#dispatch/contract.ts'
import type { Metrics } from '#notify/metrics.ts'
import type { Store } from '#store/contract.ts'
import type { Access } from './auth.ts'
import type { PairService } from './pair-routes.ts'
import type { SchemaTypes } from './schemas.ts'

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
  /** Absent on an appliance that stands alone. */
  pair?: PairService
  /** Whether a message could be delivered now, and if not, why. */
  ready(): { ready: boolean; reason?: string }
}

export interface Parts extends Services {
  access: Access
}

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  SchemaTypes
>
