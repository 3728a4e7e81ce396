/**
 * Backup and restore over HTTP. A backup is one file under a passphrase. A restore is looked at while the appliance goes
 * on; only when all is well does it start anew with it, and what the backup had queued waits for a word.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import multipart from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { parseConfig } from '#config/load.ts'
import { ConfigInvalid } from '#config/source.ts'
import { CodedError, errorText } from '#core/errors.ts'
import type { RestoreHold } from '#dispatch/restored.ts'
import { makeBackup } from '#store/backup.ts'
import { discard, stage, type Unpacked, unpackBackup } from '#store/restore.ts'
import { leavingRoom, SPARE } from '#store/room.ts'
import { requires } from './auth.ts'
import * as schemas from './backup-schemas.ts'
import { atMember } from './forward.ts'
import { memberQuery } from './line-schemas.ts'
import { drop } from './multipart.ts'
import type { OwnConfigurationService } from './own-routes.ts'
import type { Api, Parts } from './parts.ts'
import { Problem } from './problems.ts'
import { text as anyText } from './schemas.ts'
import { iso } from './views.ts'

export interface BackupService {
  /** The data directory. */
  directory: string
  restored: RestoreHold
}

/** Larger than any store of an appliance. */
const LARGEST = 20e9
const limits = { fileSize: LARGEST, files: 1, fields: 4, parts: 6, fieldSize: 1_000 }

export function backupRoutes(
  api: Api,
  parts: Parts,
  { directory, restored }: BackupService,
  own: OwnConfigurationService,
): void {
  const { access, node, forward, records, clock, version } = parts
  const read = requires('read', access)
  const admin = requires('admin', access)
  const tags = ['backup']
  /** Bytes of the disk that must stay free, or nothing more could be accepted while a backup comes in. */
  const spare = () => SPARE + (parts.settings?.current().reserve ?? 0)
  let busy = false

  /** One at a time: each needs room for a copy of everything. @returns a function that lets the next one in */
  function alone(reply: { header(name: string, value: string): unknown }): () => void {
    if (busy) {
      reply.header('retry-after', '30')
      throw new Problem(503, 'busy', 'a backup or a restore is under way on this appliance')
    }
    busy = true
    return () => {
      busy = false
    }
  }

  void api.register((scope: Api, _options, ready) => {
    void scope.register(multipart, { limits })
    scope.post(
      '/restore',
      {
        onRequest: admin,
        schema: {
          tags,
          summary:
            'Bring a backup back: multipart/form-data with the file `backup`, the field `passphrase`, and `configuration` (yes or no): whether the configuration file comes back too',
          consumes: ['multipart/form-data'],
          response: { 202: schemas.restored },
        },
      },
      async (request, reply) => {
        const done = alone(reply)
        try {
          const answer = await restore(request)
          reply.code(202)
          return answer
        } catch (error) {
          await drop(request)
          throw error
        } finally {
          done()
        }
      },
    )
    ready()
  })

  async function restore(request: FastifyRequest): Promise<schemas.Restored> {
    if (!request.isMultipart())
      throw new Problem(
        415,
        'wrong-content-type',
        'the body must be multipart/form-data with the file backup',
      )
    const work = await mkdtemp(join(directory, 'restore-'))
    try {
      const upload = join(work, 'upload')
      const { passphrase, configuration } = await received(request, upload, spare())
      const unpacked = await refusing(unpackBackup(createReadStream(upload), passphrase, directory, spare()))
      try {
        return await take(unpacked, configuration, request.source)
      } catch (error) {
        await discard(unpacked)
        throw error
      }
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }

  async function take(unpacked: Unpacked, configuration: boolean, who: string): Promise<schemas.Restored> {
    const { manifest } = unpacked
    const file = configuration ? fileOf(unpacked, own, directory) : undefined
    if (file === undefined && manifest.node !== node) {
      const text = `this is a backup of ${manifest.node}, and this is ${node}: restore it with its configuration, or on ${manifest.node}`
      throw new Problem(409, 'backup-of-other', text, { field: 'backup' })
    }
    await stage(unpacked, directory)
    if (file !== undefined) own.replace(file, undefined, 'restore')
    const at = iso(manifest.at)
    records?.audit.write(who, 'backup-restored', `${node} starts anew with its backup of ${at}`)
    own.restart()
    return {
      node: manifest.node,
      at,
      version: manifest.version,
      configuration: file !== undefined,
      restart: true,
    }
  }

  atMember(api, node, forward, (scope) => {
    scope.post(
      '/backup',
      {
        onRequest: admin,
        config: { file: true },
        schema: {
          tags,
          summary: 'Everything that a member is, as one file under a passphrase',
          querystring: memberQuery,
          body: schemas.backupRequest,
          produces: ['application/octet-stream'],
          response: { 200: anyText },
        },
      },
      async ({ body, source }, reply) => {
        const done = alone(reply)
        const at = clock.now()
        const configuration = own.file === undefined ? {} : { configuration: own.text() }
        try {
          const bytes = await refusing(
            makeBackup({ directory, node, version, at, passphrase: body.passphrase, ...configuration }),
          )
          const stream = Readable.from(bytes, { objectMode: false })
          // Also when its reader went away in the middle.
          stream.once('close', done)
          records?.audit.write(source, 'backup-made', `a backup of ${node} was made`)
          const day = iso(at).slice(0, 10)
          reply
            .type('application/octet-stream')
            .header('content-disposition', `attachment; filename="twinline-${node}-${day}.backup"`)
          return reply.send(stream)
        } catch (error) {
          done()
          throw error
        }
      },
    )

    scope.get(
      '/restore',
      {
        onRequest: read,
        schema: {
          tags,
          summary: 'What is held back after a restore, because it may have been sent since the backup',
          querystring: memberQuery,
          response: { 200: schemas.restoreState },
        },
      },
      async (): Promise<schemas.RestoreState> => {
        const state = await restored.state()
        if (state === undefined) return { held: false, deliveries: 0 }
        const { held, deliveries, at, backupAt } = state
        return { held, deliveries, since: iso(at), backupAt: iso(backupAt) }
      },
    )

    scope.post(
      '/restore/release',
      {
        onRequest: admin,
        schema: {
          tags,
          summary: 'Say what becomes of what a restore holds back',
          querystring: memberQuery,
          body: schemas.releaseRequest,
          response: { 204: { type: 'null', description: 'Done' } },
        },
      },
      async ({ body: { deliveries: what }, source }, reply) => {
        if (!(await restored.release(what)))
          throw new Problem(409, 'restore-not-held', 'nothing is held back on this appliance')
        records?.audit.write(source, 'restore-released', `what a restore held back: ${what}`)
        reply.code(204)
      },
    )
  })
}

/** @throws Problem when the backup has no configuration that this appliance can use */
function fileOf(unpacked: Unpacked, own: OwnConfigurationService, directory: string): string {
  const { configuration } = unpacked
  if (configuration === undefined || own.file === undefined) {
    const text = 'the backup has no configuration file, or this appliance runs without one'
    throw new Problem(409, 'file-none', text, { field: 'configuration' })
  }
  if (!own.writable()) {
    const text = `${own.file} cannot be replaced by the program: restore without the configuration, or let its user write to the directory`
    throw new Problem(409, 'file-not-writable', text, { field: 'configuration' })
  }
  try {
    const { data } = parseConfig(configuration, own.file)
    if (data === directory) return configuration
    const text = `its configuration keeps the data in ${data}, and here it is in ${directory}: restore without the configuration, or give this appliance that directory first`
    throw new Problem(409, 'backup-other-data', text, { field: 'configuration' })
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    throw new Problem(400, 'setting-invalid', error.message, { field: 'configuration' })
  }
}

/** Fields may stand before the file or behind it. */
async function received(
  request: FastifyRequest,
  upload: string,
  spare: number,
): Promise<{ passphrase: string; configuration: boolean }> {
  const fields = new Map<string, string>()
  let came = false
  for await (const part of request.parts()) {
    if (part.type === 'field') {
      fields.set(part.fieldname, typeof part.value === 'string' ? part.value : '')
      continue
    }
    if (part.fieldname !== 'backup' || came) {
      const named = { field: part.fieldname, allowed: ['backup'] }
      throw new Problem(400, 'unknown-field', `${part.fieldname} is not a file of this request`, named)
    }
    came = true
    const bytes = leavingRoom(part.file, dirname(upload), spare)
    await refusing(pipeline(bytes, createWriteStream(upload, { mode: 0o600 })))
  }
  for (const name of ['backup', 'passphrase']) {
    if (name === 'backup' ? !came : !fields.has(name))
      throw new Problem(400, 'missing-field', `${name} is missing`, { field: name })
  }
  const configuration = fields.get('configuration') ?? 'no'
  if (configuration !== 'yes' && configuration !== 'no') {
    const named = { field: 'configuration', allowed: ['yes', 'no'] }
    throw new Problem(400, 'not-allowed', 'configuration must be one of yes, no', named)
  }
  return { passphrase: fields.get('passphrase') ?? '', configuration: configuration === 'yes' }
}

/** What a client can do something about, as problems. */
async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof CodedError && !(error instanceof Problem)) {
      const field = error.code === 'sealed-passphrase' ? 'passphrase' : 'backup'
      if (error.code === 'disk-full') throw new Problem(507, error.code, error.message)
      throw new Problem(400, error.code, error.message, { field })
    }
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
      throw new Problem(507, 'disk-full', `there is no room for it: ${errorText(error)}`)
    throw error
  }
}
