/**
 * The shared settings as a form: what there is, of which kind, within which bounds. For people and programs that offer
 * them to be filled in; the readers have the last word. test/config/form.test.ts holds this against the readers. Pure.
 */
import { formatDuration } from '#core/duration.ts'
import { sharedDefaults, written } from './shared.ts'

export interface FormField {
  /** As the settings are addressed; within a table or a group the key alone. */
  path: string
  /** Key of its name in a dictionary. */
  label: string
  type:
    | 'text'
    | 'number'
    | 'duration'
    | 'size'
    | 'boolean'
    | 'choice'
    /** Of texts. */
    | 'list'
    | 'secret'
    /** A list of entries with `columns`. */
    | 'table'
    /** One value with `columns` of its own. */
    | 'group'
  /** What it is for, a sentence. */
  help: string
  required?: boolean
  choices?: string[]
  min?: number | string
  max?: number | string
  default?: unknown
  placeholder?: string
  /** Of a group: being there turns something on. The others only gather keys that hold by their defaults. */
  switched?: boolean
  /** Of a column: it is there only where the key beside it has one of these values. */
  only?: { key: string; is: string[] }
  columns?: FormField[]
}

export interface FormSection {
  name: string
  label: string
  fields: FormField[]
}

export interface Described extends Omit<FormField, 'label' | 'columns'> {
  columns?: Described[]
}

/** Names every field by its place: `settings.inbound.rules.do.mail`. */
export const labelled = (fields: readonly Described[], base: string): FormField[] =>
  fields.map(({ columns, ...field }) => {
    const label = `${base}.${field.path}`
    return { ...field, label, ...(columns === undefined ? {} : { columns: labelled(columns, label) }) }
  })

const second = 1_000
const day = 86_400 * second

export const spans = (min: number, max: number) => ({
  type: 'duration' as const,
  min: formatDuration(min),
  max: formatDuration(max),
})

/** Hours of a day, as columns of a table. */
export const hours: Described[] = [
  { path: 'from', type: 'text', required: true, placeholder: '22:00', help: 'When they begin.' },
  {
    path: 'until',
    type: 'text',
    required: true,
    placeholder: '06:00',
    help: 'When they end, the next day if earlier.',
  },
]

const routes: Described = {
  path: 'routes',
  type: 'table',
  help: 'Which lines serve which numbers. The cheapest usable line sends; without routes every line serves every number.',
  columns: [
    {
      path: 'match',
      type: 'text',
      required: true,
      placeholder: '+49*',
      help: '"*" for every number, a beginning such as +49*, or a whole number.',
    },
    {
      path: 'lines',
      type: 'list',
      required: true,
      placeholder: 'gsm0',
      help: 'Lines that may send: gsm0 is that line of whichever member, box-b/gsm0 the one of that member.',
    },
    {
      path: 'cost',
      type: 'number',
      min: 0,
      max: 1_000_000,
      default: 0,
      help: 'The lowest cost goes first; dearer lines serve only while no cheaper one is usable.',
    },
  ],
}

const sending: Described[] = [
  routes,
  {
    path: 'validity',
    ...spans(5 * second, 63 * 7 * day),
    help: 'How long after acceptance a message may still be sent when it does not say so itself.',
  },
  {
    path: 'sources',
    type: 'table',
    help: 'In mode active-active: which member sends what comes from a source, while it can.',
    columns: [
      {
        path: 'source',
        type: 'text',
        required: true,
        placeholder: 'http:monitoring',
        help: 'A source as messages carry it, or a beginning with * at its end.',
      },
      { path: 'prefer', type: 'text', required: true, placeholder: 'box-a', help: 'The member.' },
    ],
  },
]

const keeping: Described[] = [
  {
    path: 'retention.queue',
    ...spans(second, 3_640 * day),
    help: 'How long a finished message stays in the queue before it goes to the archive.',
  },
  {
    path: 'retention.archive',
    ...spans(second, 3_640 * day),
    help: 'How long the archive keeps a message.',
  },
  {
    path: 'reserve',
    type: 'size',
    placeholder: '16MB',
    help: 'Free space below which nothing more is accepted, so that what was accepted can be finished.',
  },
  {
    path: 'log.level',
    type: 'choice',
    choices: ['debug', 'info', 'warn', 'error'],
    help: 'What is written to the log: this and everything graver.',
  },
]

const people: Described[] = [
  {
    path: 'contacts',
    type: 'table',
    help: 'People by name, so that requests can name them instead of numbers.',
    columns: [
      { path: 'id', type: 'text', required: true, placeholder: 'night-shift', help: 'How requests name it.' },
      { path: 'name', type: 'text', placeholder: 'Night shift', help: 'How people call it.' },
      { path: 'sms', type: 'text', placeholder: '+491701234567', help: 'The number of the mobile phone.' },
      { path: 'fax', type: 'text', placeholder: '+4930123456', help: 'The number of the fax machine.' },
      { path: 'mail', type: 'text', placeholder: 'night@example.org', help: 'The mail address.' },
      {
        path: 'source',
        type: 'choice',
        choices: ['ldap'],
        help: 'Set by an import, which keeps the contact up to date.',
      },
    ],
  },
  {
    path: 'groups',
    type: 'table',
    help: 'Contacts and other groups under one name.',
    columns: [
      { path: 'id', type: 'text', required: true, placeholder: 'technicians', help: 'How requests name it.' },
      { path: 'name', type: 'text', placeholder: 'Technicians', help: 'How people call it.' },
      { path: 'members', type: 'list', required: true, help: 'Ids of contacts and groups.' },
    ],
  },
]

const storm: Described[] = [
  {
    path: 'storm',
    type: 'group',
    required: true,
    help: 'Keeps an alarm storm from filling phones and using up SIM cards. What has priority 0 always goes out.',
    columns: [
      {
        path: 'dedupe',
        type: 'group',
        switched: true,
        help: 'The same again to the same recipient is folded.',
        columns: [
          {
            path: 'window',
            ...spans(second, day),
            default: '5m',
            help: 'For how long a repetition is folded.',
          },
          {
            path: 'text',
            type: 'boolean',
            default: false,
            help: 'Equal texts count as the same where a request names no key.',
          },
        ],
      },
      {
        path: 'group',
        type: 'group',
        switched: true,
        help: 'Of many messages for one recipient some go out one by one, and the others as one digest.',
        columns: [
          {
            path: 'after',
            type: 'number',
            min: 1,
            max: 1_000,
            default: 3,
            help: 'How many go out one by one.',
          },
          { path: 'window', ...spans(second, day), default: '1m', help: 'Within how long.' },
        ],
      },
      {
        path: 'budgets',
        type: 'group',
        help: 'The most that goes out, in SMS parts.',
        columns: [
          { path: 'recipient', type: 'text', placeholder: '20/1h', help: 'To one recipient, as parts/span.' },
          { path: 'line', type: 'text', placeholder: '200/1h', help: 'Over one line, as parts/span.' },
          { path: 'month', type: 'number', min: 1, max: 10_000_000, help: 'By one SIM card in a month.' },
        ],
      },
      {
        path: 'quiet',
        type: 'table',
        help: 'Hours in which somebody gets only what has priority 0; the rest comes afterwards.',
        columns: [
          {
            path: 'to',
            type: 'list',
            required: true,
            placeholder: '*',
            help: 'Contacts, groups and numbers; * is everybody.',
          },
          ...hours,
        ],
      },
      {
        path: 'zone',
        type: 'text',
        default: 'UTC',
        placeholder: 'Europe/Berlin',
        help: 'The time zone of quiet hours and months.',
      },
    ],
  },
]

const received: Described[] = [
  {
    path: 'inbound.rules',
    type: 'table',
    help: 'What is done about received messages; every rule that fits is carried out.',
    columns: [
      {
        path: 'from',
        type: 'text',
        default: '*',
        placeholder: '+49*',
        help: 'Whose messages: a number, a beginning with *, a name, or "*".',
      },
      {
        path: 'kind',
        type: 'choice',
        choices: ['sms', 'fax'],
        help: 'What it is about; both when left away.',
      },
      {
        path: 'keyword',
        type: 'text',
        placeholder: 'STATUS',
        help: 'The first word of the text; every text when left away.',
      },
      {
        path: 'do',
        type: 'group',
        required: true,
        help: 'At least one of these.',
        columns: [
          {
            path: 'mail',
            type: 'list',
            placeholder: 'office@example.org',
            help: 'Mail addresses that get it.',
          },
          {
            path: 'webhook',
            type: 'text',
            placeholder: 'https://example.org/hook',
            help: 'An address that is called; true for the one of this member.',
          },
          { path: 'mqtt', type: 'boolean', default: false, help: 'It is published.' },
          { path: 'sms', type: 'list', placeholder: 'night-shift', help: 'To whom it is forwarded.' },
          { path: 'reply', type: 'text', help: 'What its sender is answered.' },
        ],
      },
    ],
  },
  {
    path: 'inbound.blacklist',
    type: 'list',
    placeholder: '+4915112345678',
    help: 'Senders about whose messages nothing is done.',
  },
  {
    path: 'inbound.acknowledge',
    type: 'boolean',
    help: 'ACK and the code of a message acknowledges it.',
  },
  {
    path: 'inbound.stop',
    type: 'boolean',
    help: 'STOP ends messages to its sender, START lets them begin again.',
  },
  {
    path: 'inbound.replies',
    type: 'text',
    placeholder: '3/1h',
    help: 'Replies to one sender, at most so many per span.',
  },
  {
    path: 'inbound.own',
    type: 'list',
    placeholder: '+491701234567',
    help: 'Numbers of the own SIM cards, which never get a reply.',
  },
]

const sections: Record<string, Described[]> = { sending, keeping, people, storm, received }

/** Every shared setting, with the value that holds where nobody has set it. */
export function settingsForm(): FormSection[] {
  const defaults = new Map<string, unknown>(Object.entries(written(sharedDefaults())))
  return Object.entries(sections).map(([name, fields]) => ({
    name,
    label: `settings.sections.${name}`,
    fields: labelled(fields, 'settings').map((field) => ({ ...field, default: defaults.get(field.path) })),
  }))
}
