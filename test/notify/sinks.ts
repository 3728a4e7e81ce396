/** The real other side of what goes out: a mail server and an HTTP server, which can be told to misbehave. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface MailSink {
  port: number
  /** In the order in which they were taken. */
  mails: { to: string[]; user: string | undefined; secure: boolean; mail: Email }[]
  /** What is answered to a recipient from now on; 250 when it is undefined. */
  refuse: { code: number; text: string } | undefined
  stop(): Promise<void>
}

export async function startMailSink(options: SMTPServerOptions = {}, port = 0): Promise<MailSink> {
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) => {
      if (auth.password === 'right') done(null, { user: auth.username })
      else done(new Error('wrong password'))
    },
    onRcptTo: (_address, _session, done) => {
      const { refuse } = sink
      done(refuse ? Object.assign(new Error(refuse.text), { responseCode: refuse.code }) : null)
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        void PostalMime.parse(Buffer.concat(chunks)).then((mail) => {
          sink.mails.push({
            to: session.envelope.rcptTo.map(({ address }) => address),
            user: session.user,
            secure: session.secure,
            mail,
          })
          done()
        })
      })
    },
    ...options,
  })
  // A client that is killed in the middle is no reason to end.
  server.on('error', () => {})
  const listening = server.listen(port, '127.0.0.1')
  await once(listening, 'listening')
  const sink: MailSink = {
    port: (listening.address() as AddressInfo).port,
    mails: [],
    refuse: undefined,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return sink
}

export interface HookCall {
  headers: IncomingHttpHeaders
  text: string
  body: Record<string, unknown>
}

export interface HookSink {
  url: string
  port: number
  /** Every call, whatever it was answered. */
  calls: HookCall[]
  /** What happens to the next ones, in order: a status, or no answer at all. Empty: 204. */
  script: (number | 'hang')[]
  stop(): Promise<void>
}

export async function startHookSink(port = 0): Promise<HookSink> {
  const hanging = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => {
      sink.calls.push({ headers: request.headers, text, body: JSON.parse(text) })
      const next = sink.script.shift() ?? 204
      if (next === 'hang') {
        hanging.add(response)
        return
      }
      response.writeHead(next, next >= 300 && next < 400 ? { location: sink.url } : {})
      response.end()
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port
  const sink: HookSink = {
    url: `http://127.0.0.1:${bound}/hook`,
    port: bound,
    calls: [],
    script: [],
    stop: () =>
      new Promise((resolve) => {
        for (const response of hanging) response.destroy()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return sink
}
