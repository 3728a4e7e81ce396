/** The key `lines` as a form, as form.ts has the shared settings; held against the readers by own-form.test.ts. Pure. */

import { formatDuration } from '#core/duration.ts'
import { answerLimits, faxRates, faxRetryDefaults, LINE_PRIORITY } from './fax.ts'
import { type Described, hours, spans } from './form.ts'

const day = 86_400_000
const pause = spans(1_000, day)

const onlyOf = (kind: 'gsm' | 'fax', fields: readonly Described[]): Described[] =>
  fields.map((field) => ({ ...field, only: { key: 'kind', is: [kind] } }))

const ofGsm = onlyOf('gsm', [
  { path: 'reports', type: 'boolean', default: true, help: 'The network is asked for status reports.' },
  {
    path: 'pin',
    type: 'secret',
    help: 'PIN of the SIM, 4 to 8 digits. It is tried once for each SIM, never again.',
  },
  {
    path: 'rate',
    type: 'text',
    placeholder: '10/1m',
    help: 'At most so many parts a span, from 1s to 1d; no limit when left away.',
  },
  {
    path: 'profile',
    type: 'text',
    placeholder: 'simcom-sim7600',
    help: 'Profile of the modem, without .yaml; when left away the modem is asked what it is.',
  },
  {
    path: 'smsc',
    type: 'text',
    placeholder: '+491710760000',
    help: 'Number of the service centre, in the place of the one on the SIM.',
  },
  {
    path: 'imei',
    type: 'text',
    placeholder: '861234567890123',
    help: 'Only the modem with these 15 digits, wherever it shows up.',
  },
  {
    path: 'concatenation',
    type: 'choice',
    choices: ['8', '16'],
    default: '8',
    help: 'Bits of the reference that joins the parts of a long SMS.',
  },
])

const dialled = 'Up to 20 of 0-9 * # , and W; a comma is a pause.'

const ofFax = onlyOf('fax', [
  {
    path: 'profile',
    type: 'text',
    placeholder: 'conexant-cx930',
    help: 'Profile of the modem, without .yaml; when left away the modem is asked what it is.',
  },
  {
    path: 'class',
    type: 'choice',
    choices: ['auto', '1', '2', '2.0'],
    default: 'auto',
    help: 'Which fax commands are used; auto: the modem is asked.',
  },
  {
    path: 'station',
    type: 'text',
    placeholder: '+49 30 1234567',
    help: 'Own number, as the other machine shows it: up to 20 digits, + and spaces.',
  },
  {
    path: 'header',
    type: 'boolean',
    default: true,
    help: 'Sender, time and page number stand above each page.',
  },
  {
    path: 'priority',
    type: 'number',
    min: 1,
    max: 255,
    default: LINE_PRIORITY,
    help: 'Of several free lines of one cost, the one with the highest is taken.',
  },
  { path: 'ecm', type: 'boolean', default: true, help: 'Error correction, where the other machine has it.' },
  {
    path: 'maxRate',
    type: 'choice',
    choices: faxRates.map(String),
    default: '14400',
    help: 'The fastest that is tried, in bit/s.',
  },
  {
    path: 'resolution',
    type: 'choice',
    choices: ['fine', 'standard'],
    default: 'fine',
    help: 'fine has 196 rows an inch, standard 98 and half the time on the line.',
  },
  {
    path: 'answer',
    type: 'group',
    help: 'Which calls are answered.',
    columns: [
      {
        path: 'rings',
        type: 'number',
        min: 0,
        max: 20,
        default: 2,
        help: 'Rings before it answers; 0: it never does.',
      },
      {
        path: 'callers',
        type: 'list',
        placeholder: '+4930*',
        help: 'Who is answered: numbers, or beginnings with *; everybody when left away.',
      },
      {
        path: 'distinctive',
        type: 'list',
        placeholder: 'RING 2',
        help: 'What the modem says for the rings that count; every ring when left away.',
      },
      {
        path: 'maxPages',
        type: 'number',
        min: 1,
        max: answerLimits.pages,
        default: answerLimits.pages,
        help: 'Pages that one call may bring; then it is ended.',
      },
      {
        path: 'maxDuration',
        ...spans(300_000, day),
        default: formatDuration(answerLimits.duration),
        help: 'How long one call may take; then it is ended, and what came is kept.',
      },
    ],
  },
  {
    path: 'dial',
    type: 'group',
    help: 'How numbers are dialled.',
    columns: [
      { path: 'prefix', type: 'text', placeholder: '0,', help: `Dialled before every number. ${dialled}` },
      {
        path: 'country',
        type: 'text',
        placeholder: '49',
        help: 'Code of the own country without +; numbers of it begin with `national` instead.',
      },
      {
        path: 'international',
        type: 'text',
        default: '00',
        help: `In the place of + for other countries. ${dialled}`,
      },
      {
        path: 'national',
        type: 'text',
        default: '0',
        help: `In the place of the own country's code. ${dialled}`,
      },
    ],
  },
  {
    path: 'retry',
    type: 'group',
    help: 'When it is dialled again.',
    columns: [
      {
        path: 'busy',
        ...pause,
        default: formatDuration(faxRetryDefaults.busy),
        help: 'Pause after a busy number.',
      },
      {
        path: 'noAnswer',
        ...pause,
        default: formatDuration(faxRetryDefaults.noAnswer),
        help: 'Pause after a call that nobody answered.',
      },
      {
        path: 'protocol',
        ...pause,
        default: formatDuration(faxRetryDefaults.protocol),
        help: 'Pause after a call that failed between the machines.',
      },
      {
        path: 'tries',
        type: 'number',
        min: 1,
        max: 100,
        default: faxRetryDefaults.tries,
        help: 'Calls in a row that came through and brought nothing further, before it has failed.',
      },
      {
        path: 'dials',
        type: 'number',
        min: 1,
        max: 100,
        default: faxRetryDefaults.dials,
        help: 'Calls in all before it has failed.',
      },
    ],
  },
  {
    path: 'doNotDial',
    type: 'table',
    help: 'Hours in which this line does not dial.',
    columns: [
      ...hours,
      {
        path: 'zone',
        type: 'text',
        required: true,
        placeholder: 'Europe/Berlin',
        help: 'The time zone of these hours.',
      },
      {
        path: 'except',
        type: 'number',
        min: 0,
        max: 3,
        help: 'Messages of this priority and more urgent ones (0) are dialled all the same; none when left away.',
      },
    ],
  },
])

export const lineFields: Described[] = [
  {
    path: 'lines',
    type: 'table',
    help: 'The modems of this appliance.',
    columns: [
      {
        path: 'id',
        type: 'text',
        required: true,
        placeholder: 'gsm0',
        help: 'The name of the line: up to 32 letters, digits, - and _.',
      },
      {
        path: 'kind',
        type: 'choice',
        required: true,
        choices: ['gsm', 'fax'],
        help: 'What it sends: SMS over GSM, or fax.',
      },
      {
        path: 'port',
        type: 'text',
        required: true,
        placeholder: 'serial:///dev/ttyUSB2?baud=115200',
        help: 'Where the modem is: serial:///dev/…?baud=115200&rtscts=true, tcp://host:port, or sim://gsm for a simulated one.',
      },
      {
        path: 'disabled',
        type: 'boolean',
        default: false,
        help: 'It is not used until somebody enables it.',
      },
      {
        path: 'passive',
        type: 'text',
        placeholder: 'box-b',
        help: 'The member whose line this is: it is connected here only while that member is lost and this one is active.',
      },
      ...ofGsm,
      ...ofFax,
    ],
  },
]
