/**
 * The first answers of the interface as a part of the panel's page: who is logged in, and what the page shows. A browser
 * that has its code already then draws the page with what one request brought, however long the way to the appliance is.
 *
 * Rests on data blocks (WHATWG HTML 4.12.1): a script element of another type than JavaScript's is never run. What stands
 * in it comes from the routes themselves, asked from inside in the name of whoever asked for the page, with its cookie.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import type { Api } from './parts.ts'

/** Later answers the browser asks for by itself, ms: another member may have to be heard first. */
const PATIENCE_MS = 100
/** Characters; a larger answer the browser asks for by itself. */
const LONGEST = 200_000

/** Over which connection the page was asked for, while its answers are made. */
const asking = new AsyncLocalStorage<Socket>()

/**
 * Gives what is asked from inside the connection of the page. To be called before every hook and route that looks at where
 * a request came from.
 */
export function admitPages(api: Api): void {
  api.addHook('onRequest', ({ raw }, _reply, done) => {
    const socket = asking.getStore()
    if (socket !== undefined) raw.socket = socket
    done()
  })
}

/** @returns `"PATH":{"status":…,"body":…}`; undefined when there is no answer, or none that helps a page */
async function answerTo(
  api: Api,
  { headers, raw }: FastifyRequest,
  path: string,
): Promise<string | undefined> {
  const { cookie = '', host = '' } = headers
  const answer = await asking.run(
    raw.socket,
    // Awaited inside: a request that is put in begins when somebody waits for it, and takes the context from there.
    async () => await api.inject({ method: 'GET', url: `/api/v1${path}`, headers: { cookie, host } }),
  )
  const { statusCode, payload } = answer
  if (statusCode >= 500 || payload.length > LONGEST) return undefined
  if (!/[/+]json\b/.test(String(answer.headers['content-type']))) return undefined
  return `${JSON.stringify(path)}:{"status":${statusCode},"body":${payload}}`
}

/**
 * @param request for the page, of somebody who is logged in
 * @param paths below /api/v1, with their queries
 * @param now ms since 1970, which the page goes by, as by the header Date of an answer
 * @returns an element of the page with all answers that came in time. Never rejects.
 */
export async function answersIn(
  api: Api,
  request: FastifyRequest,
  paths: readonly string[],
  now: number,
): Promise<string> {
  const over = new AbortController()
  const late = pause(PATIENCE_MS, undefined, { signal: over.signal, ref: false }).catch(() => undefined)
  const found = await Promise.all(
    paths.map((path) => Promise.race([answerTo(api, request, path).catch(() => undefined), late])),
  )
  over.abort()
  const answers = found.filter((one) => one !== undefined).join(',')
  // No answer ends the element that it stands in.
  const safe = `{"date":"${new Date(now).toUTCString()}","answers":{${answers}}}`.replaceAll('<', '\\u003c')
  return `<script type="application/json" id="answers">${safe}</script>\n`
}
