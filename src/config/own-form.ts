/**
 * The keys of a member's own file as a form, as form.ts has the shared settings: everything that a member does not share.
 * test/config/own-form.test.ts holds it against the readers. Pure.
 */
import { documentDefaults } from './documents.ts'
import { type Described, type FormSection, labelled, spans } from './form.ts'
import { certificates, compat, listen, mailIn, modbus, mqtt } from './intake-form.ts'
import { lineFields } from './line-form.ts'
import { pairFields } from './pair-form.ts'
import { formatSize } from './values.ts'

const minute = 60_000
const day = 1_440 * minute

const appliance: Described[] = [
  {
    path: 'node',
    type: 'text',
    placeholder: 'box-a',
    help: 'The name of this appliance for the others of its pair, up to 63 letters, digits, dots, - and _; the name of the host when left away.',
  },
  {
    path: 'data',
    type: 'text',
    default: '/var/lib/twinline',
    help: 'Directory of the queue and of everything else that is kept. It is moved by hand, with the appliance stopped.',
  },
]

const access: Described[] = [
  {
    path: 'https',
    type: 'group',
    switched: true,
    help: 'Panel and programs over TLS. Without a certificate the appliance makes one of its own.',
    columns: [
      { ...listen, placeholder: ':8443' },
      {
        path: 'certificate',
        type: 'text',
        placeholder: '/etc/twinline/server.pem',
        help: 'File (PEM) with the certificate and those between it and its authority.',
      },
      {
        path: 'key',
        type: 'text',
        placeholder: '/etc/twinline/server-key.pem',
        help: 'File (PEM) with its key; goes with the certificate.',
      },
    ],
  },
  {
    path: 'http',
    type: 'group',
    switched: true,
    help: 'The same without TLS: everybody on the way can read passwords and texts, so keep it on this box.',
    columns: [listen],
  },
]

const mailOut: Described[] = [
  {
    path: 'mail',
    type: 'group',
    switched: true,
    help: 'The server that outgoing mail is handed to, for rules about received messages.',
    columns: [
      {
        path: 'url',
        type: 'text',
        required: true,
        placeholder: 'smtps://user:password@mail.example.org:465',
        help: 'smtps:// for TLS, smtp:// otherwise. @ and / in the password are written %40 and %2F. A password shown as *** stays.',
      },
      {
        path: 'from',
        type: 'text',
        required: true,
        placeholder: 'twinline@example.org',
        help: 'The sender of the mails.',
      },
      certificates,
    ],
  },
]

const webhook: Described[] = [
  {
    path: 'inbound.webhook',
    type: 'group',
    switched: true,
    help: 'An address that is told of received messages, where a rule says so.',
    columns: [
      {
        path: 'url',
        type: 'text',
        required: true,
        placeholder: 'https://duty.example.org/sms',
        help: 'What is called.',
      },
      {
        path: 'secret',
        type: 'secret',
        required: true,
        help: 'Signs every call: 16 to 200 characters.',
      },
      { path: 'timeout', ...spans(100, minute), default: '10s', help: 'How long an answer is waited for.' },
      {
        path: 'retryFor',
        ...spans(1_000, 7 * day),
        default: '1d',
        help: 'How long an event is tried before it is laid aside.',
      },
    ],
  },
]

const documents: Described[] = [
  {
    path: 'documents',
    type: 'group',
    help: 'What is taken to be faxed here. A message keeps the paper that it was accepted with.',
    columns: [
      {
        path: 'maxPages',
        type: 'number',
        min: 1,
        max: 1_000,
        default: documentDefaults.maxPages,
        help: 'Pages of one document.',
      },
      {
        path: 'maxSize',
        type: 'size',
        min: '1MB',
        max: '100MB',
        default: formatSize(documentDefaults.maxSize),
        help: 'Of one document.',
      },
      {
        path: 'paper',
        type: 'choice',
        choices: ['a4', 'letter', 'legal'],
        default: documentDefaults.paper,
        help: 'What pages are fitted to.',
      },
    ],
  },
]

const attribute = (path: string, byDefault: string): Described => ({
  path,
  type: 'text',
  default: byDefault,
  help: 'The name of the attribute.',
})

const ldap: Described[] = [
  {
    path: 'ldap',
    type: 'group',
    switched: true,
    help: 'Takes contacts from a directory, every so often.',
    columns: [
      {
        path: 'url',
        type: 'text',
        required: true,
        placeholder: 'ldaps://directory.example.org:636',
        help: 'The server: ldaps:// for TLS, or ldap://.',
      },
      {
        path: 'bind',
        type: 'text',
        placeholder: 'cn=reader,dc=example,dc=org',
        help: 'As whom it logs in (DN); nobody when left away.',
      },
      { path: 'password', type: 'secret', help: 'Goes with the DN.' },
      {
        path: 'base',
        type: 'text',
        required: true,
        placeholder: 'ou=people,dc=example,dc=org',
        help: 'Below what it looks (DN).',
      },
      {
        path: 'filter',
        type: 'text',
        default: '(mobile=*)',
        help: 'Which entries are taken, in brackets, such as (&(objectClass=person)(mobile=*)).',
      },
      { path: 'every', ...spans(minute, 7 * day), default: '1h', help: 'How often it is asked.' },
      {
        path: 'attributes',
        type: 'group',
        help: 'Which attribute gives what.',
        columns: [
          attribute('id', 'uid'),
          attribute('name', 'cn'),
          attribute('sms', 'mobile'),
          attribute('fax', 'facsimileTelephoneNumber'),
          attribute('mail', 'mail'),
        ],
      },
    ],
  },
]

const sections: Record<string, Described[]> = {
  lines: lineFields,
  appliance,
  access,
  mailIn,
  compat,
  mqtt,
  modbus,
  mailOut,
  webhook,
  documents,
  ldap,
  pair: pairFields,
}

/** Every key that is a member's own. */
export const ownForm = (): FormSection[] =>
  Object.entries(sections).map(([name, fields]) => ({
    name,
    label: `own.sections.${name}`,
    fields: labelled(fields, 'own'),
  }))
