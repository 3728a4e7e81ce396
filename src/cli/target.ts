/** Which appliances a command talks to, from what was typed, the environment and the configuration. */
import { readFileSync } from 'node:fs'
import { loadConfig } from '#config/load.ts'
import { errorText } from '#core/errors.ts'
import { localSocketPath } from '#core/local-socket.ts'
import { durationArgument } from './arguments.ts'
import { type Answer, type Call, call, type Target } from './client.ts'
import { Ended, exit, UsageError } from './outcome.ts'

export interface ConnectionValues {
  config?: string | undefined
  host?: string[] | undefined
  token?: string | undefined
  ca?: string | undefined
  insecure?: boolean | undefined
  timeout?: string | undefined
}

const DEFAULT_TIMEOUT_MS = 10_000
const DEFAULT_PORT = 8443

/** At least one, in the order in which they are to be tried. @throws UsageError, ConfigInvalid */
export function targetsOf(values: ConnectionValues, usage: string): Target[] {
  const timeoutMs =
    values.timeout === undefined ? DEFAULT_TIMEOUT_MS : durationArgument('--timeout', values.timeout, usage)
  if (values.config !== undefined) {
    if (values.host !== undefined) throw new UsageError('give either --config or --host, not both', usage)
    return [localTarget(loadConfig(values.config).data, timeoutMs)]
  }
  const hosts =
    values.host ?? (process.env['TWINLINE_HOST'] ?? '').split(/[\s,]+/).filter((host) => host !== '')
  if (hosts.length === 0) throw new UsageError('which appliance? Give --config FILE or --host URL', usage)
  const common = {
    token: values.token ?? process.env['TWINLINE_TOKEN'],
    ca: values.ca === undefined ? undefined : readCertificates(values.ca, usage),
    insecure: values.insecure ?? false,
    timeoutMs,
  }
  return hosts.map((host) => {
    const url = hostUrl(host, usage)
    return { name: url.origin, where: { url }, ...common }
  })
}

/** The appliance of this machine that keeps its data there. */
export function localTarget(dataDirectory: string, timeoutMs = DEFAULT_TIMEOUT_MS): Target {
  let socketPath: string
  try {
    socketPath = localSocketPath(dataDirectory)
  } catch {
    // The directory does not exist, so nobody listens in it; connecting says just that.
    socketPath = '/proc/self/fd/none/control.sock'
  }
  return {
    name: 'this appliance',
    where: { socketPath },
    token: undefined,
    ca: undefined,
    insecure: false,
    timeoutMs,
  }
}

/** A URL, or a name or address with or without a port, which means TLS. */
function hostUrl(host: string, usage: string): URL {
  const bare = !host.includes('://')
  const text = bare ? `https://${host}` : host
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new UsageError(
      `${JSON.stringify(host)} is not an appliance; write a URL such as https://gateway-1:8443`,
      usage,
    )
  }
  if (bare && url.port === '') url.port = String(DEFAULT_PORT)
  return url
}

function readCertificates(file: string, usage: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--ca: ${errorText(error)}`, usage)
  }
}

/**
 * Where a standby sends its clients (`pair.redirect`; RFC 9110, 15.4.8): the same request to the active member, under
 * the same rules for its certificate. A token that was given to TLS goes to TLS only.
 */
export function redirected(target: Target, answer: Answer, { path }: Call): Target | undefined {
  if (answer.result !== 'answer' || answer.status !== 307 || !('url' in target.where)) return undefined
  const { location = '' } = answer
  const url = URL.canParse(location) ? new URL(location) : undefined
  const end = `/api/v1${path}`
  const schemes = target.where.url.protocol === 'https:' ? ['https:'] : ['http:', 'https:']
  if (!url || !schemes.includes(url.protocol) || url.username !== '' || !url.pathname.endsWith(end)) {
    return undefined
  }
  url.pathname = url.pathname.slice(0, -end.length)
  return { ...target, name: `${target.name}, which stands by, and then ${url.origin}`, where: { url } }
}

/** What an appliance said no with, in one sentence. */
export function problemText({ status, body }: { status: number; body: unknown }): string {
  const { detail, title, code } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >
  const text = typeof detail === 'string' ? detail : typeof title === 'string' ? title : 'no explanation'
  return `${text} (${typeof code === 'string' ? `${code}, ` : ''}HTTP ${status})`
}

/**
 * The answer of the first appliance that gives one, for commands that only read.
 * @throws Ended when none does, or when it refuses
 */
export async function ask<T>(targets: readonly Target[], request: Call): Promise<T> {
  const reasons: string[] = []
  for (const target of targets) {
    const answer = await call(target, request)
    if (answer.result === 'answer' && answer.status < 300 && answer.body !== undefined)
      return answer.body as T
    const reason = reasonOf(answer)
    if (answer.result === 'answer' && answer.status >= 400 && answer.status < 500) {
      throw new Ended(exit.refused, `${target.name}: ${reason}`)
    }
    reasons.push(`${target.name}: ${reason}`)
  }
  throw new Ended(exit.unreachable, `cannot reach ${reasons.join('; ')}`)
}

export const reasonOf = (answer: Answer): string =>
  answer.result === 'answer' ? problemText(answer) : answer.reason
