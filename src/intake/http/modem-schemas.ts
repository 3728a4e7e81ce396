/** The shapes of a search for modems that no line uses yet. */
import { list, object, type Shape, text } from './schemas.ts'

const identity = object(
  {
    kind: { type: 'string', enum: ['gsm', 'fax', 'other'] },
    manufacturer: text,
    model: text,
    imei: { ...text, description: 'Empty when a mobile modem does not tell it; absent on others' },
    profile: { ...text, description: 'The modem profile that its line will use' },
    sim: {
      ...text,
      description: 'READY, SIM PIN, SIM PUK, absent, busy, failure; unreadable when the modem says no more',
    },
    signal: { type: 'integer', description: 'dBm; absent when unknown' },
    operator: text,
    classes: { ...list(text), description: 'Fax classes, as the modem lists them: 1, 2, 2.0' },
    voice: { type: 'boolean', description: 'A fax modem that is a voice modem, too' },
    callerId: { type: 'boolean', description: 'A fax modem that can tell who calls' },
  },
  ['kind', 'manufacturer', 'model'],
)

const foundPort = object(
  {
    device: { ...text, description: 'Such as /dev/ttyUSB2; another one after the next start' },
    name: { ...text, description: 'The name that stays, below /dev/serial, where there is one' },
    result: {
      type: 'string',
      enum: ['modem', 'silent', 'denied', 'in-use', 'failed', 'not-asked'],
      description: 'What came of it: a modem, no answer, or why it could not be asked',
    },
    why: { ...text, description: 'What the system said, where the port could not be used' },
    modem: identity,
    also: { ...list(text), description: 'Further ports of the same modem' },
    line: { ...text, description: 'The configured line that this modem belongs to' },
    entry: {
      ...object({ kind: { type: 'string', enum: ['gsm', 'fax'] }, port: text, imei: text }, ['kind', 'port']),
      description: 'What to write in `lines`, with an id; absent where it can be no line or is one',
    },
  },
  ['device', 'name', 'result'],
)

export const modemSearch = object(
  { node: { ...text, description: 'The member that looked' }, items: list(foundPort) },
  ['node', 'items'],
)

export type FoundPortView = Shape<typeof foundPort>
export type ModemSearchView = Shape<typeof modemSearch>
