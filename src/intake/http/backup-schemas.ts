/** The shapes of backup and restore. The files themselves are no JSON. */
import { count, flag, object, type Shape, text, time } from './schemas.ts'

/** Shorter ones are guessed offline. */
const passphrase = { type: 'string', minLength: 10, maxLength: 200 } as const

export const backupRequest = object({ passphrase }, ['passphrase'])

/** The answer to a restore; the appliance starts anew with it within seconds. */
export const restored = object(
  {
    node: { ...text, description: 'Whose backup it is' },
    at: { ...time, description: 'When the backup was made' },
    version: text,
    configuration: { ...flag, description: "The member's own file is put back too" },
    restart: flag,
  },
  ['node', 'at', 'version', 'configuration', 'restart'],
)

/** What a restored appliance holds back until somebody says what was sent meanwhile. */
export const restoreState = object(
  {
    held: { ...flag, description: 'Nothing that the backup had queued is sent until it is released' },
    deliveries: { ...count, description: 'How many wait for that' },
    since: { ...time, description: 'When it was restored' },
    backupAt: { ...time, description: 'When the backup was made' },
  },
  ['held', 'deliveries'],
)

export const releaseRequest = object(
  {
    deliveries: {
      type: 'string',
      enum: ['send', 'cancel'],
      description: 'send: all of them, flagged as possible duplicates; cancel: none, each can be retried',
    },
  },
  ['deliveries'],
)

export type Restored = Shape<typeof restored>
export type RestoreState = Shape<typeof restoreState>
