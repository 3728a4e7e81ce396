/**
 * One outgoing request of a callback, with a deadline. A redirect is not followed: it could lead to where the client may
 * not send us. What the other side answers is dropped unread but for its status.
 */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Notice } from './callback-words.ts'

const WITHIN_MS = 10_000

/** @returns undefined when it was taken, otherwise why not; never rejects */
export function tell(
  { method, url, form }: Notice['request'],
  stopping: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  if (!URL.canParse(url)) return Promise.resolve('this is no URL')
  const place = new URL(url)
  const send = place.protocol === 'https:' ? httpsRequest : httpRequest
  const asked = send(place, {
    method,
    agent: false,
    signal: AbortSignal.any([stopping, AbortSignal.timeout(WITHIN_MS)]),
    headers: {
      'user-agent': 'twinline',
      ...(form === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form) }),
    },
  })
  asked.on('response', (response) => {
    const status = response.statusCode ?? 0
    resolve(status >= 200 && status < 300 ? undefined : `HTTP status ${status}`)
    response.destroy()
  })
  asked.on('error', ({ message, name }) =>
    resolve(
      name === 'AbortError' || name === 'TimeoutError' ? `no answer within ${WITHIN_MS / 1_000} s` : message,
    ),
  )
  asked.end(form)
  return promise
}
