/**
 * E-mail to SMS: the SMTP dialogue (RFC 5321), by smtp-server. A client is told 250 only when dispatch has the mail on
 * disk; what cannot be taken now is answered with 4xx, what never will be with 5xx and the reason.
 */
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { SMTPServerDataStream, SMTPServerOptions, SMTPServerSession } from 'smtp-server'
import { allowedBy } from '#config/networks.ts'
import type { SmtpConfig } from '#config/smtp.ts'
import type { Config } from '#config/types.ts'
import { CodedError, errorText } from '#core/errors.ts'
import { certificateFor } from '#intake/http/certificate.ts'
import { bind } from '#intake/http/listeners.ts'
import type { Tokens } from '#intake/http/tokens.ts'
import type { Metrics } from '#notify/metrics.ts'
import { MailServer, waitsForAnswer } from './connection.ts'
import { type Delivery, deliver, recipientOf, wantsDocuments } from './deliver.ts'
import { createMailReader } from './reader.ts'
import { notNow, Refusal } from './refusal.ts'

/** Clients at a time; further ones are told to come again. */
const CONNECTIONS = 100
const RECIPIENTS = 1_000
/** Nothing came for so long, ms (RFC 5321 4.5.3.2 has clients wait longer than that for us, never us for them). */
const IDLE_MS = 60_000
const STOP_MS = 5_000
/** Bytes of all mails that are being received or read, beyond the largest one. */
const HELD_BYTES = 32e6

export interface SmtpOptions extends Pick<Delivery, 'dispatch' | 'log' | 'documents'> {
  smtp: SmtpConfig
  config: Pick<Config, 'data' | 'node' | 'https' | 'pair'>
  tokens: Pick<Tokens, 'find' | 'findAnew'>
  metrics: Pick<Metrics, 'accepted' | 'refused'>
}

export interface SmtpIntake {
  /** Such as `smtp://127.0.0.1:2525`, the port resolved. */
  address: string
  /** Resets every connection to an address that is about to leave this machine. */
  reset(address: string): void
  /** Takes no more mail, and answers what has come as a whole. */
  stop(): Promise<void>
}

/**
 * The data directory must exist.
 * @throws CodedError when the address is taken or the certificate does not work; nothing stays open then
 */
export async function startSmtp({
  smtp,
  config,
  dispatch,
  log,
  tokens,
  metrics,
  documents,
}: SmtpOptions): Promise<SmtpIntake> {
  const delivery: Delivery = {
    dispatch,
    config: smtp,
    log,
    accepted: () => metrics.accepted('smtp'),
    ...(documents === undefined ? {} : { documents }),
  }
  const reader = createMailReader()
  const mayConnect = [allowedBy(smtp.allow), allowedBy(config.pair?.allow.send)]
  let held = 0

  const sourceOf = ({ user, remoteAddress }: SMTPServerSession): string =>
    `smtp:${typeof user === 'string' ? user : remoteAddress}`

  /** Tells whoever runs this what was refused: the sender is often a device that shows its answers to nobody. */
  function refused(error: unknown, session: SMTPServerSession): Refusal {
    if (!(error instanceof Refusal)) {
      log.error({ err: error, source: sourceOf(session) }, 'a mail failed by our own fault')
      return notNow('internal', 'something went wrong inside the appliance')
    }
    metrics.refused('smtp', error.code)
    log.info({ code: error.code, reply: error.responseCode, source: sourceOf(session) }, 'a mail was refused')
    return error
  }

  async function authenticate(password: string): Promise<string> {
    const record = tokens.find(password) ?? (await tokens.findAnew(password))
    if (record === undefined) {
      throw new Refusal(
        535,
        'token-unknown',
        'the password must be an API token, and this is none or was revoked',
      )
    }
    if (!record.scopes.includes('send'))
      throw new Refusal(535, 'scope-missing', 'this token does not have the scope send')
    return record.name
  }

  /** @returns the mail's bytes; the stream is read to its end whatever becomes of the mail, so that its client reads the answer */
  function collect(stream: SMTPServerDataStream): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      let problem: Refusal | undefined
      const release = () => {
        held -= size
        size = 0
      }
      stream.on('data', (chunk: Buffer) => {
        if (problem !== undefined) return
        held += chunk.length
        size += chunk.length
        chunks.push(chunk)
        if (size > smtp.maxSize)
          problem = new Refusal(
            552,
            'mail-too-large',
            `the mail has more than ${smtp.maxSize} bytes (maxSize)`,
          )
        else if (held > smtp.maxSize + HELD_BYTES)
          problem = notNow('busy', 'too many large mails at a time', 452)
        if (problem !== undefined) {
          chunks.length = 0
          release()
        }
      })
      stream.on('end', () => (problem === undefined ? resolve(Buffer.concat(chunks)) : reject(problem)))
      const incomplete = () => reject(notNow('mail-incomplete', 'the connection ended within the mail'))
      stream.on('error', incomplete)
      stream.on('close', () => {
        release()
        incomplete()
      })
    })
  }

  async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
    const bytes = await collect(stream)
    held += bytes.length
    try {
      const recipients = session.envelope.rcptTo.map(({ address }) => address)
      const mail = await reader.read(bytes, wantsDocuments(recipients, delivery))
      const ids = await deliver(mail, { source: sourceOf(session), recipients }, delivery)
      return `queued as ${ids.slice(0, 10).join(' ')}${ids.length > 10 ? ` and ${ids.length - 10} more` : ''}`
    } finally {
      held -= bytes.length
    }
  }

  const options: SMTPServerOptions = {
    name: smtp.domains[0] ?? config.node,
    banner: 'twinline',
    heloResponse: '%s',
    size: smtp.maxSize,
    maxClients: CONNECTIONS,
    maxRecipients: RECIPIENTS,
    socketTimeout: IDLE_MS,
    closeTimeout: STOP_MS,
    disableReverseLookup: true,
    logger: false,
    authMethods: ['PLAIN', 'LOGIN'],
    authOptional: smtp.auth !== 'required',
    // The last ones are answered with jokes.
    disabledCommands: [
      ...(smtp.auth === 'off' ? ['AUTH'] : []),
      ...(smtp.tls === 'none' ? ['STARTTLS'] : []),
      'XCLIENT',
      'XFORWARD',
      'WIZ',
      'SHELL',
      'KILL',
    ],
    onConnect({ remoteAddress }, callback) {
      if (mayConnect.every((may) => may(remoteAddress))) return callback()
      metrics.refused('smtp', 'address-not-allowed')
      callback(
        new Refusal(
          554,
          'address-not-allowed',
          `${remoteAddress} is in none of the networks that may send mail here`,
        ),
      )
    },
    onAuth({ password }, session, callback) {
      authenticate(password ?? '').then(
        (user) => callback(null, { user }),
        (error: unknown) => callback(refused(error, session)),
      )
    },
    onMailFrom({ address }, session, callback) {
      if (smtp.tls === 'required' && !session.secure)
        return callback(refused(new Refusal(530, 'tls-required', 'begin with STARTTLS'), session))
      // RFC 5321 4.5.5: what has no sender is a report about another mail.
      if (address === '')
        return callback(
          refused(new Refusal(550, 'bounce', 'reports about mail are not sent as SMS'), session),
        )
      callback()
    },
    onRcptTo({ address }, session, callback) {
      const found = recipientOf(address, sourceOf(session), delivery)
      callback(found instanceof Refusal ? refused(found, session) : null)
    },
    onData(stream, session, callback) {
      take(stream, session).then(
        (text) => callback(null, text),
        (error: unknown) => callback(refused(error, session)),
      )
    },
    ...(smtp.tls === 'none' ? {} : await secured(config)),
  }
  const server = new MailServer(options)
  // Without this, a client that hangs up within what it sends would end the process.
  server.on('error', (error) => log.debug({ error: errorText(error) }, 'a mail client went away'))
  await bind(server.server, smtp.listen, 'intake.smtp.listen')
  server.server.on('error', (error) =>
    log.warn({ error: errorText(error) }, 'a mail client could not connect'),
  )

  return {
    address: addressOf(server),
    reset: (address) => server.reset(address),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const connection of server.connections) {
        if (!waitsForAnswer(connection))
          connection.send(421, 'stopping: this appliance is being stopped, try another')
      }
      await closed
      reader.stop()
    },
  }
}

async function secured({ https, data, node }: SmtpOptions['config']) {
  const pem = await certificateFor({
    data,
    node,
    ...(https?.certificate === undefined ? {} : { certificate: https.certificate }),
    ...(https?.key === undefined ? {} : { key: https.key }),
  })
  const tls = { cert: pem.certificate, key: pem.key, minVersion: 'TLSv1.2' } as const
  try {
    createSecureContext(tls)
  } catch (error) {
    throw new CodedError(
      'certificate-invalid',
      `https: certificate and key do not work: ${errorText(error)}`,
      {
        field: 'https.certificate',
        cause: error,
      },
    )
  }
  return tls
}

function addressOf(server: MailServer): string {
  const { address, family, port } = server.server.address() as AddressInfo
  return `smtp://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
