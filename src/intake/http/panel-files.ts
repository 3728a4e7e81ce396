/**
 * The panel as files: its page at `/` and at the addresses that it routes by itself, and what the page loads under
 * /assets/. `.ci/build-panel.mjs` makes them; names under /assets/ hold a hash, so what was loaded once is never asked
 * for again. Nothing is read before somebody asks, and nothing is kept: an appliance that nobody looks at pays nothing.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { FastifyReply } from 'fastify'
import type { Api } from './parts.ts'
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
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
} as const

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

/** @param directory what the build made: index.html and assets/; absent: it was not built */
export function panelFiles(api: Api, directory: string | undefined): void {
  async function shell(matches: string | undefined, reply: FastifyReply): Promise<unknown> {
    reply.headers(guards).type('text/html; charset=utf-8').header('cache-control', 'no-cache')
    const page = directory === undefined ? undefined : await readOr(join(directory, 'index.html'))
    if (page === undefined) return reply.code(503).send(notBuilt)
    const tag = `"${createHash('sha256').update(page).digest('base64url').slice(0, 22)}"`
    reply.header('etag', tag)
    return matches === tag ? reply.code(304).send() : page
  }

  const hidden = { schema: { hide: true } }
  for (const url of ['/', ...pages.flatMap((page) => [`/${page}`, `/${page}/*`])]) {
    api.get(url, hidden, async (request, reply) => shell(request.headers['if-none-match'], reply))
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
    if (headers['if-none-match'] === `"${name}"`) {
      await found.file.close()
      return reply.code(304).send()
    }
    if (found.compressed) reply.header('content-encoding', 'gzip')
    reply.header('content-length', (await found.file.stat()).size)
    return reply.send(found.file.createReadStream())
  })

  async function assetOf(
    name: string,
    codings: string | string[],
  ): Promise<{ file: FileHandle; compressed: boolean } | undefined> {
    if (directory === undefined) return undefined
    const path = join(directory, 'assets', name)
    const wanted = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(String(codings))
    const smaller = wanted ? await openOr(`${path}.gz`) : undefined
    if (smaller !== undefined) return { file: smaller, compressed: true }
    const file = await openOr(path)
    return file === undefined ? undefined : { file, compressed: false }
  }
}

const openOr = (path: string): Promise<FileHandle | undefined> => open(path).catch(() => undefined)
const readOr = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined)
