/**
 * The panel as files: its page at `/` and at the addresses that it routes by itself, and what the page loads under
 * /assets/. `.ci/build-panel.mjs` makes them; names under /assets/ hold a hash, so what was loaded once is never asked
 * for again. Nothing is read before somebody asks, and nothing is kept: an appliance that nobody looks at pays nothing.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { loginOf } from './cookie.ts'
import { answersIn } from './panel-answers.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'

/** Addresses below which the browser code decides what is shown. */
const pages = [
  'lines',
  'queue',
  'inbox',
  'archive',
  'totals',
  'pair',
  'configuration',
  'people',
  'records',
  'setup',
  'login',
] as const

const types: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** As the build names them: no separators and no leading dot, so nothing outside the folder has such a name. */
const assetName = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,100}$/

const YEAR_S = 31_536_000

/**
 * Only what came from here runs, and nothing that stands in the page itself. (Nothing may send a browser to https: where
 * only http.listen is configured, the page would then load none of its files.)
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const guards = {
  'content-security-policy': policy,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
} as const

/** Browsers heed it over https only, and complain about it otherwise. */
const overHttps = { 'cross-origin-opener-policy': 'same-origin' } as const

/** What each page loads at once, by its path: files under /assets/, and what it asks for below /api/v1. */
type Early = Record<string, { code: string[]; words: Record<string, string[]>; asks: string[] }>

/** The longest is a hundredth of it; more is no path of ours. */
const LONGEST_PATH = 1_000

/** The path as the panel knows it: `/queue/:id` for that of one message. */
function routeOf(path: string, early: Early): string | undefined {
  if (path in early) return path
  const parent = path.slice(0, path.lastIndexOf('/'))
  return `${parent}/:id` in early ? `${parent}/:id` : undefined
}

/** What the page at an address loads and asks for; a query asks for something else than a page does by itself. */
interface Wanted {
  code: readonly string[]
  words: Readonly<Record<string, string[]>>
  /** Below /api/v1. */
  asks: readonly string[]
}

function wantedAt(url: string, early: Early): Wanted {
  const [path = '', query] = url.split('?')
  const found = early[path.length > LONGEST_PATH ? '' : (routeOf(path, early) ?? '')]
  const [id = ''] = /[\w.~%-]*$/.exec(path) ?? []
  const asks = query === undefined ? (found?.asks ?? []) : []
  return {
    code: found?.code ?? [],
    words: found?.words ?? {},
    asks: [SESSION, ...asks.map((ask) => ask.replace(':id', id))],
  }
}

/** On which all else waits. */
const SESSION = '/session'

/**
 * Names what the page will ask for next (RFC 8288, preload as of WHATWG HTML 4.6.7): its code, and its words in the
 * language asked for; and who is logged in, where that does not come with the page.
 */
function linksFor({ code, words }: Wanted, language: string, known: boolean): string {
  return [
    ...(known ? [] : [`</api/v1${SESSION}>; rel=preload; as=fetch; crossorigin`]),
    ...[...code, ...(words[language] ?? words['en'] ?? [])].map(
      (name) => `</assets/${name}>; ${name.endsWith('.css') ? 'rel=preload; as=style' : 'rel=modulepreload'}`,
    ),
  ].join(', ')
}

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>twinline</title>
<h1>The panel was not built</h1>
<p>This appliance works, and its API too; only the files of its panel are missing.
Build them with <code>npm run build</code> in the folder of the program and load this page again.</p>
<p><a href="/docs">The API and how to use it</a></p>
</html>
`

type PanelParts = Pick<Parts, 'panel' | 'access' | 'clock'>
type PanelPage = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/**
 * @param parts `panel`: the directory of what the build made, index.html and assets/; absent: it was not built
 * @returns what answers a browser with the panel's page, whatever the address
 */
export function panelFiles(api: Api, { panel: directory, access, clock }: PanelParts): PanelPage {
  async function shell(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { headers, url, protocol } = request
    reply
      .headers(protocol === 'https' ? { ...guards, ...overHttps } : guards)
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
    const page = directory === undefined ? undefined : await readOr(join(directory, 'index.html'))
    if (page === undefined) return reply.code(503).send(notBuilt)
    const wanted = wantedAt(url, await early())
    const user = loginOf(request, access.sessions)?.user
    const language = user?.language ?? /^[a-z]{2}/.exec(headers['accept-language'] ?? '')?.[0] ?? ''
    reply.header('link', linksFor(wanted, language, user !== undefined)).header('vary', 'accept-language')
    if (user !== undefined) {
      // What it holds then is for nobody's disk.
      reply.header('cache-control', 'no-store')
      return Readable.from(withAnswers(page, request, wanted.asks))
    }
    const tag = `"${createHash('sha256').update(page).digest('base64url').slice(0, 22)}"`
    reply.header('etag', tag)
    return headers['if-none-match'] === tag ? reply.code(304).send() : page
  }

  /** The browser begins with the page, and has its answers by the time it wants them. */
  async function* withAnswers(
    page: string,
    request: FastifyRequest,
    asks: readonly string[],
  ): AsyncGenerator<string> {
    const end = page.lastIndexOf('</body>')
    yield page.slice(0, end)
    yield await answersIn(api, request, asks, clock.now())
    yield page.slice(end)
  }

  /** Without it the page loads all the same, only later. */
  async function early(): Promise<Early> {
    const text = directory === undefined ? undefined : await readOr(join(directory, 'early.json'))
    return JSON.parse(text ?? '{}') as Early
  }

  const hidden = { schema: { hide: true } }
  for (const url of ['/', ...pages.flatMap((page) => [`/${page}`, `/${page}/*`])]) {
    api.get(url, hidden, shell)
  }

  api.get<{ Params: { '*': string } }>('/assets/*', hidden, async ({ params, headers }, reply) => {
    const name = params['*']
    const type = types[extname(name)]
    const found =
      assetName.test(name) && type !== undefined
        ? await assetOf(name, headers['accept-encoding'] ?? '')
        : undefined
    if (type === undefined || found === undefined)
      throw new Problem(404, 'route-unknown', 'the panel has no such file; load the page again')
    reply
      .headers(guards)
      .type(type)
      .header('cache-control', `public, max-age=${YEAR_S}, immutable`)
      .header('etag', `"${name}"`)
      .header('vary', 'accept-encoding')
    if (headers['if-none-match'] === `"${name}"`) return reply.code(304).send()
    if (found.compressed) reply.header('content-encoding', 'gzip')
    return reply.send(found.bytes)
  })
  return shell

  /** Whole: the largest has 60 kB, and a page asks for a dozen at a time. */
  async function assetOf(
    name: string,
    codings: string | string[],
  ): Promise<{ bytes: Buffer; compressed: boolean } | undefined> {
    if (directory === undefined) return undefined
    const path = join(directory, 'assets', name)
    const wanted = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(String(codings))
    const smaller = wanted ? await bytesOr(`${path}.gz`) : undefined
    if (smaller !== undefined) return { bytes: smaller, compressed: true }
    const bytes = await bytesOr(path)
    return bytes === undefined ? undefined : { bytes, compressed: false }
  }
}

const bytesOr = (path: string): Promise<Buffer | undefined> => readFile(path).catch(() => undefined)
const readOr = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined)
