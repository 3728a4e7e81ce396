/**
 * Events to somebody's HTTP server. The signature is an HMAC (RFC 2104, SHA-256) over the time and the body, so that
 * an event can neither be made up nor played again later; the event's id stays the same however often it is sent.
 */
import { createHmac } from 'node:crypto'
import { errorText } from '#core/errors.ts'
import type { Reason } from '#messages/states.ts'

export interface WebhookCall {
  url: string
  /** Absent: the event is not signed. */
  secret?: string
  /** Names the event. */
  id: string
  body: unknown
  /** ms since 1970 */
  now: number
  /** How long an answer is waited for, ms. */
  timeout: number
}

export type WebhookResult =
  | { result: 'taken' }
  /** `permanent`: the receiver looked at this very event and does not want it. */
  | { result: 'failed'; reason: Reason; permanent: boolean }

/** Answers that speak of the event and not of the receiver's condition: it is too large, or not understood. */
const refusals: ReadonlySet<number> = new Set([400, 413, 422])

/** `t=SECONDS,v1=HEX`: HMAC-SHA256 over `SECONDS.BODY`. */
export function signature(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
}

/** Never rejects. Redirects are not followed: an event goes where it was meant to go, or nowhere. */
export async function callWebhook(call: WebhookCall): Promise<WebhookResult> {
  const { url, secret, id, now, timeout } = call
  const body = JSON.stringify(call.body)
  const signed =
    secret === undefined ? {} : { 'x-twinline-signature': signature(secret, Math.floor(now / 1_000), body) }
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
      headers: { 'content-type': 'application/json', 'x-twinline-event': id, ...signed },
      body,
    })
    // What it says is of no interest, and may be endless.
    await response.body?.cancel()
    if (response.ok) return { result: 'taken' }
    return failed(
      'webhook-refused',
      `The receiver answered ${response.status}.`,
      refusals.has(response.status),
    )
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      return failed('webhook-timeout', `The receiver did not answer within ${timeout} ms.`, false)
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    return failed(
      'webhook-failed',
      `The receiver could not be reached: ${errorText(cause).slice(0, 200)}`,
      false,
    )
  }
}

const failed = (code: string, text: string, permanent: boolean): WebhookResult => ({
  result: 'failed',
  reason: { code, text },
  permanent,
})
