/**
 * What a client is told when its request is refused: a problem (RFC 9457) that names the field at fault, carries a
 * code of docs/errors.md and, where there is a short list, what is allowed. One place turns every error into one.
 */

import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply } from 'fastify'
import { CodedError, type Values } from '#core/errors.ts'
import type { SubmitResult } from '#dispatch/contract.ts'
import { problemMediaType } from './schemas.ts'
import { iso } from './views.ts'

type Allowed = readonly (string | number)[]

export class Problem extends CodedError {
  readonly status: number
  readonly allowed: Allowed | undefined
  /** Until when it stays refused, where that is known; ms since 1970. */
  readonly until: number | undefined

  constructor(
    status: number,
    code: string,
    detail: string,
    {
      allowed,
      until,
      ...options
    }: { field?: string; values?: Values; allowed?: Allowed; until?: number } = {},
  ) {
    super(code, detail, options)
    this.status = status
    this.allowed = allowed
    this.until = until
  }
}

/** The values of a refusal from further inside, for those of a problem. */
export const valuesOf = ({ values }: { values?: Values }): { values?: Values } =>
  values === undefined ? {} : { values }

/** The answer's body as text, for the places that have no fastify reply at hand. */
export const problemText = (problem: Problem): string =>
  JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    field: problem.field,
    values: problem.values,
    allowed: problem.allowed,
    until: problem.until === undefined ? undefined : iso(problem.until),
  })

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="twinline"')
  return reply.code(problem.status).type(problemMediaType).send(problemText(problem))
}

/** What ajv says about the broken rule, by the kind of rule. */
interface RuleParameters {
  missingProperty?: string
  additionalProperty?: string
  allowedValues?: Allowed
  type?: string
  limit?: number
  comparison?: string
}

type SchemaFault = NonNullable<FastifyError['validation']>[number] & {
  parentSchema?: { properties?: object; description?: string }
}

/** `/to/3` becomes `to[3]`. */
const fieldName = (pointer: string): string =>
  pointer
    .slice(1)
    .replace(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.')

/** A rule that acceptance knows as well has its code, so that a fault has one code whoever finds it. */
const codes: Record<string, string> = {
  'text minLength': 'empty-text',
  'to minItems': 'no-recipient',
  'to maxItems': 'too-many-recipients',
  'to[] minLength': 'invalid-recipient',
  'to[] maxLength': 'invalid-recipient',
  'channel enum': 'unknown-channel',
  'priority enum': 'invalid-priority',
  'validity pattern': 'invalid-validity',
  'validity maxLength': 'invalid-validity',
  'tag minLength': 'invalid-tag',
  'tag maxLength': 'invalid-tag',
  'dedupe minLength': 'invalid-dedupe',
  'dedupe maxLength': 'invalid-dedupe',
}

/** The first thing that the schema found wrong. */
function fromSchema(
  { keyword, instancePath, params, parentSchema, message }: SchemaFault,
  part: string,
): Problem {
  const path = fieldName(instancePath)
  const named = path === '' ? `the ${part === 'querystring' ? 'query' : part}` : path
  const refuse = (
    code: string,
    rule: string,
    { field = path, ...more }: { field?: string; allowed?: Allowed; values?: Values } = {},
  ) =>
    new Problem(
      400,
      codes[`${field.replace(/\d+/, '')} ${keyword}`] ?? code,
      `${field === path ? named : field} ${rule}`,
      {
        ...(field === '' ? {} : { field }),
        ...more,
      },
    )
  const below = (name = ''): string => (path === '' ? name : `${path}.${name}`)
  const of: RuleParameters = params
  const limit = Number(of.limit)
  switch (keyword) {
    case 'required':
      return refuse('missing-field', 'is missing', { field: below(of.missingProperty) })
    case 'additionalProperties': {
      const allowed = Object.keys(parentSchema?.properties ?? {})
      return refuse('unknown-field', 'is not a field of this request', {
        field: below(of.additionalProperty),
        allowed,
      })
    }
    case 'enum': {
      const allowed = of.allowedValues ?? []
      return refuse('not-allowed', `must be one of ${allowed.join(', ')}`, { allowed })
    }
    case 'type':
      return refuse('wrong-type', `must be of type ${of.type}`, { values: { type: String(of.type) } })
    case 'minItems':
    case 'minLength': {
      if (limit <= 1) return refuse('empty', 'must not be empty')
      const what = keyword === 'minItems' ? 'entries' : 'characters'
      return refuse('too-short', `must have at least ${limit} ${what}`, { values: { [what]: limit } })
    }
    case 'maxItems':
      return refuse('too-many', `may have at most ${limit} entries`, {
        values: { entries: limit, most: limit },
      })
    case 'maxLength':
      return refuse('too-long', `may have at most ${limit} characters`, {
        values: { characters: limit, most: limit },
      })
    case 'minimum':
      return refuse('out-of-range', `must be ${of.comparison} ${limit}`, { values: { least: limit } })
    case 'maximum':
      return refuse('out-of-range', `must be ${of.comparison} ${limit}`, { values: { most: limit } })
    case 'pattern':
      // Nobody should have to read a regular expression who typed a name.
      if (parentSchema?.description !== undefined)
        return refuse('wrong-format', `is not written as it must be. ${parentSchema.description}`)
      return refuse('wrong-format', message ?? 'is malformed')
    default:
      return refuse('wrong-format', message ?? 'is malformed')
  }
}

/** fastify's own refusals, by its error code. What is missing here is a fault of this program and becomes a 500. */
const ofFastify: Record<string, [status: number, code: string, detail: string]> = {
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'malformed-json', 'the body is not valid JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    400,
    'malformed-request',
    'the body is not as long as Content-Length says',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'body-too-large', 'the body is larger than this appliance takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'wrong-content-type', 'the body must be application/json'],
  FST_ERR_BAD_URL: [400, 'malformed-url', 'the path is not a valid URL'],
  FST_ERR_MAX_PARAM_LENGTH: [404, 'not-found', 'there is no such thing'],
}

/** Failures inside that a client should be told of, because it can try again. */
const ofStore: Record<string, [status: number, detail: string]> = {
  'disk-full': [507, 'no room is left to keep anything safe; nothing was stored'],
  'store-busy': [503, 'more is waiting for the disk than can be kept; nothing was stored, try again'],
  'store-closed': [503, 'the appliance is stopping'],
  'removed-from-pair': [
    503,
    'this appliance was removed from its pair and takes no messages until it joins again or goes on alone',
  ],
}

/** @returns undefined when the error is nobody's fault but ours */
export function problemOf(error: FastifyError | Error): Problem | undefined {
  if (error instanceof Problem) return error
  if (error instanceof CodedError) {
    const known = ofStore[error.code]
    return known === undefined ? undefined : new Problem(known[0], error.code, known[1])
  }
  if (!('code' in error)) return undefined
  const fault = error.validation?.[0]
  if (fault !== undefined) return fromSchema(fault, error.validationContext ?? 'body')
  // Nobody reads this answer: the client hung up in the middle of its body, which fastify marks with 400.
  if (error.code === 'ECONNRESET' && error.statusCode === 400)
    return new Problem(400, 'malformed-request', 'the connection ended before the body did')
  const known = ofFastify[error.code]
  return known === undefined ? undefined : new Problem(...known)
}

/** What a client is told when its message was not taken; a key that came before is each way's own to word. */
export function notTaken(result: Extract<SubmitResult, { result: 'invalid' | 'full' | 'oneDisk' }>): Problem {
  switch (result.result) {
    case 'invalid':
      return new Problem(400, result.code, `${result.field}: ${result.detail}`, {
        field: result.field,
        ...valuesOf(result),
      })
    case 'full':
      return new Problem(507, 'disk-full', 'no room is left to keep the message safe; nothing was stored')
    case 'oneDisk':
      return new Problem(
        503,
        'one-disk',
        'no other member has the message on its disk, and this pair accepts nothing on one disk; it is not sent',
      )
  }
}
