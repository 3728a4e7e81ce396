/**
 * The support bundle over HTTP: one click, one file. Of this member, of another one, or of the whole pair: then it holds
 * the bundle of each member that answers, and says why which one is not in it.
 */
import { Buffer } from 'node:buffer'
import { errorText } from '#core/errors.ts'
import { requires } from './auth.ts'
import { askMemberForFile, atMember, EVERY } from './forward.ts'
import { linesQuery } from './line-schemas.ts'
import type { Api, Parts } from './parts.ts'
import { text } from './schemas.ts'
import type { SupportSource } from './support.ts'
import { iso } from './views.ts'

/** A member's bundle is in memory until the pair's is made, bytes. */
const LARGEST = 32e6

export function supportRoutes(api: Api, parts: Parts, source: SupportSource): void {
  const { access, clock, forward, node, pair, records } = parts
  let making: Promise<Uint8Array> | undefined

  /** Who asks twice gets one: it reads much and takes memory. */
  async function own(author: string): Promise<Uint8Array> {
    // Loaded when it is asked for: a waiting appliance is small.
    const { makeSupportBundle } = await import('./support.ts')
    making ??= makeSupportBundle(parts, source).finally(() => {
      making = undefined
    })
    const bytes = await making
    records?.audit.write(author, 'support-made', 'a support bundle was made')
    return bytes
  }

  async function ofMember(named: string, author: string): Promise<Uint8Array> {
    const path = `/api/v1/support?node=${encodeURIComponent(named)}`
    const answer = await askMemberForFile(named, forward, { method: 'GET', path, author })
    if ('status' in answer) {
      const { detail = `it answered ${answer.status}` } = { ...(answer.body as { detail?: string }) }
      throw new Error(detail)
    }
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of answer.bytes as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > LARGEST) throw new Error(`its bundle has more than ${LARGEST / 1e6} MB`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  async function ofEverybody(author: string): Promise<Uint8Array> {
    const others = pair?.control.members().filter((member) => member.node !== node) ?? []
    const files: Record<string, Uint8Array> = {}
    const problems: string[] = []
    const add = async (named: string, make: Promise<Uint8Array>) => {
      try {
        files[`${named}.zip`] = await make
      } catch (error) {
        problems.push(`${named}: ${errorText(error)}\n`)
      }
    }
    await Promise.all([
      add(node, own(author)),
      ...others.map((member) => add(member.node, ofMember(member.node, author))),
    ])
    if (problems.length > 0) files['missing.txt'] = Buffer.from(problems.sort().join(''))
    return (await import('./support.ts')).zipped(files, clock.now())
  }

  atMember(api, node, forward, (scope) => {
    scope.get(
      '/support',
      {
        onRequest: requires('admin', access),
        config: { file: true },
        schema: {
          tags: ['status'],
          summary:
            'Logs, configuration, state and failover log as a zip file, of one member or of every member that can be reached; secrets and numbers masked',
          querystring: linesQuery,
          produces: ['application/zip'],
          response: { 200: text },
        },
      },
      async ({ query, source: author }, reply) => {
        const every = query.node === EVERY
        const bytes = await (every ? ofEverybody(author) : own(author))
        const day = iso(clock.now()).slice(0, 10)
        const name = `twinline-${every ? 'all-members' : node}-${day}.zip`
        reply.type('application/zip').header('content-disposition', `attachment; filename="${name}"`)
        return reply.send(Buffer.from(bytes))
      },
    )
  })
}
