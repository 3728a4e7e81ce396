/**
 * Which member answers at the common address: this one asks it as a client would, at the port and by the protocol by
 * which it was asked itself. Nobody's word is taken for it, and nothing is sent along: what is asked is open to all.
 */
import { request as plainRequest, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { errorText } from '#core/errors.ts'
import { roles } from '#pair/contract.ts'
import { requires } from './auth.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { object, type Shape, text } from './schemas.ts'

/** Longer than a failover of the quick profiles, shorter than a person's patience. */
const ANSWERS_WITHIN_MS = 3_000
/** The answer of /session is a few hundred bytes. */
const LARGEST_ANSWER = 20_000

const addressAnswer = object(
  {
    address: text,
    url: { ...text, description: 'For a browser, which then shows who answers' },
    node: { ...text, description: 'The member that answered; absent when none did' },
    role: { type: 'string', enum: roles },
    ms: { type: 'number', minimum: 0, description: 'How long the answer took, ms' },
    text: { ...text, description: 'Why there is no answer, or none of a member' },
  },
  ['address', 'url'],
)
export type AddressAnswer = Shape<typeof addressAnswer>

type Found = Pick<AddressAnswer, 'node' | 'role' | 'text'>

export function addressRoutes(api: Api, { access, clock, pair }: Parts): void {
  api.get(
    '/pair/address',
    {
      onRequest: requires('read', access),
      schema: {
        tags: ['pair'],
        summary: 'Ask the common address which member answers there',
        response: { 200: addressAnswer },
      },
    },
    async ({ raw: { socket } }) => {
      const address = pair?.control.status().vip?.address
      if (address === undefined)
        throw new Problem(
          404,
          'address-none',
          'this pair has no common address: its settings have no pair.vip',
        )
      const port = socket.localPort
      if (port === undefined)
        throw new Problem(
          409,
          'address-port-unknown',
          'ask over HTTP: the local socket has no port to ask at',
        )
      const secure = 'encrypted' in socket && (socket as TLSSocket).encrypted
      const url = `${secure ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}/`
      const began = clock.monotonic()
      const found = await whoAnswers({ host: address, port, path: '/api/v1/session' }, secure)
      return { address, url, ...found, ms: Math.round(clock.monotonic() - began) }
    },
  )
}

function whoAnswers(at: RequestOptions, secure: boolean): Promise<Found> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS)
    // Certificates of members are their own; that it is a member says the answer, and more is not decided by it.
    const asked = secure
      ? secureRequest({ ...at, signal, agent: false, rejectUnauthorized: false })
      : plainRequest({ ...at, signal, agent: false })
    asked.once('error', (error) =>
      resolve({
        text: signal.aborted ? `no answer within ${ANSWERS_WITHIN_MS / 1_000} s` : errorText(error),
      }),
    )
    asked.once('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
        if (body.length > LARGEST_ANSWER)
          asked.destroy(new Error('something else than a member answers there'))
      })
      response.once('error', (error) => resolve({ text: errorText(error) }))
      response.once('end', () => resolve(memberOf(body)))
    })
    asked.end()
  })
}

function memberOf(body: string): Found {
  try {
    const { appliance }: { appliance?: { node?: unknown; role?: unknown } } = { ...JSON.parse(body) }
    const role = roles.find((known) => known === appliance?.role)
    if (typeof appliance?.node === 'string')
      return { node: appliance.node, ...(role === undefined ? {} : { role }) }
  } catch {
    // Told below: whatever it is, it is no member.
  }
  return { text: 'something else than a member answers there' }
}
