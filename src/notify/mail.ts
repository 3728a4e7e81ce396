/**
 * Outgoing mail over one small pool of connections (nodemailer). Every mail has a deadline, and more than a bound of
 * them is refused rather than piled up: whoever sends keeps what it wants sent, and tries again.
 *
 * RFC 3834 5: what a machine sends says so (Auto-Submitted), so that no other machine answers it.
 */
import { readFileSync } from 'node:fs'
import { createTransport } from 'nodemailer'
import type { MailConfig } from '#config/mail.ts'
import { CodedError, errorText } from '#core/errors.ts'
import type { Reason } from '#messages/states.ts'
import { OWN_MAIL } from './own-mail.ts'

export interface Mail {
  /** Stable for one mail however often it is tried: receivers drop a second copy by it. */
  id: string
  to: readonly string[]
  subject: string
  text: string
  attachments?: readonly { name: string; type: string; content: Buffer }[]
}

export type MailResult =
  | { result: 'sent' }
  /** `permanent`: the server will say the same again. */
  | { result: 'failed'; reason: Reason; permanent: boolean }

export interface Mailer {
  /** Never rejects. */
  send(mail: Mail): Promise<MailResult>
  close(): void
}

const CONNECTIONS = 2
const MOST_WAITING = 50
/** For a connection, its greeting, and each answer, ms. */
const STEP_MS = 15_000
/** For the whole of one mail, its wait in the pool included, ms. */
const MAIL_MS = 60_000

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CodedError('mail-ca-unusable', `mail.ca: cannot read ${path}: ${errorText(error)}`, {
      field: 'mail.ca',
      cause: error,
    })
  }
}

/** @throws CodedError `mail-ca-unusable` */
export function createMailer(config: MailConfig): Mailer {
  const { host, port, secure, login, from, ca } = config
  // Where nothing secret is sent and a server without TLS would do as well, one whose certificate nobody knows is no
  // worse (RFC 7435, opportunistic security). A certificate that is named must be the one that is shown.
  const checked = secure || login !== undefined || ca !== undefined
  const local = host === 'localhost' || host === '::1' || host.startsWith('127.')
  const transport = createTransport({
    pool: true,
    host,
    port,
    secure,
    maxConnections: CONNECTIONS,
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    requireTLS: login !== undefined && !secure && !local,
    ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password } }),
    tls: { rejectUnauthorized: checked, ...(ca === undefined ? {} : { ca: readCa(ca) }) },
  })
  // What goes wrong with an idle connection is no mail's fault; the next one opens another.
  transport.on('error', () => {})
  let waiting = 0

  return {
    async send({ id, to, subject, text, attachments = [] }) {
      if (waiting >= MOST_WAITING)
        return failed('mail-busy', 'Too many mails wait for the mail server.', false)
      waiting += 1
      try {
        await within(
          MAIL_MS,
          transport.sendMail({
            from,
            to: [...to],
            subject: subject.replace(/\s+/g, ' '),
            text,
            attachments: attachments.map(({ name, type, content }) => ({
              filename: name,
              contentType: type,
              content,
            })),
            messageId: `<${id}@${from.split('@')[1]}>`,
            headers: { 'Auto-Submitted': 'auto-generated', [OWN_MAIL]: 'yes' },
          }),
        )
        return { result: 'sent' }
      } catch (error) {
        const status = statusOf(error)
        const refused = status !== undefined && status >= 500
        // A login that is refused is the configuration's fault, and may be mended there.
        const permanent = refused && !isLogin(error)
        return failed(
          refused ? 'mail-refused' : 'mail-failed',
          `${refused ? 'The mail server refused' : 'The mail could not be handed in'}: ${errorText(error).slice(0, 300)}`,
          permanent,
        )
      } finally {
        waiting -= 1
      }
    },
    close: () => transport.close(),
  }
}

const failed = (code: string, text: string, permanent: boolean): MailResult => ({
  result: 'failed',
  reason: { code, text },
  permanent,
})

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number'
    ? error.responseCode
    : undefined

const isLogin = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAUTH'

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1_000} s`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
