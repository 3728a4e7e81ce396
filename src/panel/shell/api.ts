/**
 * Requests to the appliance that serves this page: /api/v1 only, typed by the caller, never throwing.
 *
 *   const answer = await get<LineList>('/lines')
 *   if (!answer.ok) return show(answer.problem)      // problem.field names the input at fault
 *
 * Refusals are problem documents (RFC 9457) with `code`, `field` and `allowed`. What could not be asked at all is a
 * problem too, with status 0 and the code `no-connection`.
 */
import { learnTime } from './clock.ts'
import { loadRare } from './rare.ts'
import { takeSent } from './sent.ts'
import { language } from './words.ts'

export interface Problem {
  /** HTTP status; 0 when no answer came. */
  status: number
  code: string
  detail: string
  field?: string
  allowed?: readonly unknown[]
  /** ISO 8601 */
  until?: string
  /** Names and figures of what is wrong. */
  values?: Readonly<Record<string, string | number>>
}

export type Answer<T> = { ok: true; value: T; status: number } | { ok: false; problem: Problem }

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>

const ROOT = '/api/v1'
const DEADLINE_MS = 20_000
/** Of a file on its way up or down. */
const FILE_DEADLINE_MS = 300_000

/** What is told of a session that ended; set by session.ts, because the client cannot import it. */
let onUnauthorized: () => void = () => undefined
export function whenUnauthorized(tell: () => void): void {
  onUnauthorized = tell
}

/** Leaves out what is undefined or empty; several values of one name are joined by commas. */
export function withQuery(path: string, query: Query = {}): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    const text = Array.isArray(value) ? value.join(',') : String(value ?? '')
    if (text !== '') given.set(name, text)
  }
  const text = given.toString()
  return text === '' ? path : `${path}?${text}`
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'detail' in body
}

function problemOf(status: number, body: unknown): Problem {
  if (isProblem(body)) return { ...body, status }
  return { status, code: `http-${status}`, detail: `HTTP ${status}` }
}

async function refused(path: string, problem: Problem): Promise<{ ok: false; problem: Problem }> {
  if (problem.status === 401 && path !== '/session') onUnauthorized()
  // Most are told in passing, as news, which is not drawn again.
  if (language.peek() !== 'en') await loadRare()
  return { ok: false, problem }
}

/** One request whose answer is read by the caller, for files. @param path below /api/v1 */
export async function ask(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  headers: Record<string, string> = {},
  deadlineMs = DEADLINE_MS,
): Promise<Answer<Response>> {
  // Forms and files bring their own content type.
  const isForm = body instanceof FormData || body instanceof Blob
  const deadline = AbortSignal.timeout(isForm ? FILE_DEADLINE_MS : deadlineMs)
  try {
    const response = await fetch(ROOT + path, {
      method,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      headers: {
        accept: 'application/json',
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    })
    learnTime(response.headers.get('date'))
    if (response.ok) return { ok: true, value: response, status: response.status }
    const said: unknown = await response.json().catch(() => undefined)
    return await refused(path, problemOf(response.status, said))
  } catch (error) {
    return { ok: false, problem: { status: 0, code: 'no-connection', detail: String(error) } }
  }
}

async function asJson<T>(asked: Promise<Answer<Response>>): Promise<Answer<T>> {
  const answer = await asked
  if (!answer.ok) return answer
  try {
    const text = await answer.value.text()
    const value: T = JSON.parse(text === '' ? '{}' : text)
    return { ok: true, value, status: answer.status }
  } catch (error) {
    return { ok: false, problem: { status: 0, code: 'no-connection', detail: String(error) } }
  }
}

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<Answer<T>> {
  const asked = withQuery(path, query)
  const sent = takeSent(asked)
  if (sent === undefined) return asJson<T>(ask('GET', asked, undefined, signal))
  const { status, body } = sent
  return status < 400 ? { ok: true, value: body as T, status } : refused(asked, problemOf(status, body))
}
export const post = <T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>> =>
  asJson<T>(ask('POST', path, body, undefined, headers))
export const put = <T>(path: string, body?: unknown): Promise<Answer<T>> => asJson<T>(ask('PUT', path, body))
export const patch = <T>(path: string, body?: unknown): Promise<Answer<T>> =>
  asJson<T>(ask('PATCH', path, body))
export const remove = <T>(path: string): Promise<Answer<T>> => asJson<T>(ask('DELETE', path))

/** Saves an answer as a file, by a link that is clicked for the user. */
export async function download(
  method: 'GET' | 'POST',
  path: string,
  name: string,
  body?: unknown,
): Promise<Answer<true>> {
  const answer = await ask(method, path, body, undefined, {}, FILE_DEADLINE_MS)
  if (!answer.ok) return answer
  const content = await answer.value.blob().catch((error: unknown) => String(error))
  // It broke off on the way, as when the member that it comes from is gone.
  if (typeof content === 'string')
    return { ok: false, problem: { status: 0, code: 'no-connection', detail: content } }
  const named = /filename="?([^";]+)/.exec(answer.value.headers.get('content-disposition') ?? '')?.[1]
  saveFile(content, named ?? name)
  return { ok: true, value: true, status: answer.status }
}

export function saveFile(content: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
