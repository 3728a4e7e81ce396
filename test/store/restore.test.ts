/** A backup on its way back: nothing lands outside, nothing changes before all is well, and a crash is no harm. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CodedError } from '#core/errors.ts'
import { seal } from '#core/sealed.ts'
import { makeBackup } from '#store/backup.ts'
import type { OperationLog, Store } from '#store/contract.ts'
import { stage, takeStaged, unpackBackup } from '#store/restore.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, START, term } from './fixtures.ts'

const passphrase = 'correct horse battery'

describe('a restore', () => {
  let home: string
  let data: string
  const open = (directory = data): Promise<Store & OperationLog> =>
    openStore({ directory, node: 'a', reserve: 0, now: () => START })

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'restore-'))
    data = join(home, 'data')
    mkdirSync(data)
  })
  afterEach(() => rm(home, { recursive: true, force: true }))

  async function backupOf(store: Store): Promise<AsyncGenerator<Buffer>> {
    await store.depth()
    return makeBackup({
      directory: data,
      node: 'a',
      version: '1',
      at: START,
      passphrase,
      configuration: 'node: a\n',
    })
  }
  async function kept(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of bytes) parts.push(part)
    return Buffer.concat(parts)
  }
  async function* of(bytes: Buffer): AsyncGenerator<Buffer> {
    yield bytes
  }
  const claimed = async (store: Store, now = START) =>
    (await store.claim({ limit: 99, now, until: now + 1_000, term })).claims.map(
      ({ delivery }) => delivery.message,
    )

  test('takes no room that is to stay free', async () => {
    const store = await open()
    const bytes = await kept(await backupOf(store))
    await store.close()
    const before = readdirSync(data)
    await expect(unpackBackup(of(bytes), passphrase, data, 1e18)).rejects.toMatchObject({ code: 'disk-full' })
    expect(readdirSync(data)).toEqual(before)
  })

  test('holds back what was queued, over restarts, and lets what is new through', async () => {
    mkdirSync(join(data, 'pair'))
    writeFileSync(join(data, 'pair', 'key.pem'), 'the key')
    const first = await open()
    const old = [acceptance(), acceptance({ at: START + 1 })]
    await first.accept(old)
    const bytes = await kept(await backupOf(first))
    const since = acceptance({ at: START + 2 })
    await first.accept([since])
    await first.close()
    expect(readdirSync(data).filter((name) => name.startsWith('backup-'))).toEqual([])

    const unpacked = await unpackBackup(of(bytes), passphrase, data)
    expect(unpacked).toMatchObject({
      manifest: { node: 'a', version: '1', at: START },
      configuration: 'node: a\n',
    })
    writeFileSync(join(data, 'pair', 'key.pem'), 'another key')
    await stage(unpacked, data)

    let store = await open()
    const position = store.logged()
    expect(readFileSync(join(data, 'pair', 'key.pem'), 'utf8')).toBe('the key')
    expect(await store.message(since.message.id)).toBeUndefined()
    expect(await store.restored()).toMatchObject({ backupAt: START, held: true, deliveries: 2 })
    const fresh = acceptance({ at: START + 9 })
    await store.accept([fresh])
    expect(store.logged().incarnation).toBe(position.incarnation)
    expect(await claimed(store, START + 10)).toEqual([fresh.message.id])
    await store.close()
    store = await open()
    expect(await claimed(store, START + 10)).toEqual([fresh.message.id])
    expect(await store.heldBack(9)).toEqual(old.map(({ message }) => `${message.id}.0`))
    await store.releaseRestored('send')
    expect((await claimed(store, START + 10)).sort()).toEqual(old.map(({ message }) => message.id).sort())
    expect(await store.restored()).toMatchObject({ held: false, copies: true, deliveries: 0 })
    await store.close()
    // What was there before is kept.
    const before = await open(join(data, 'before-restore'))
    expect(await before.message(since.message.id)).toBeDefined()
    await before.close()
  })

  test('its log begins anew: no place of it was written before', async () => {
    const first = await open()
    await first.accept([acceptance()])
    const bytes = await kept(await backupOf(first))
    await first.accept([acceptance({ at: START + 1 })])
    const before = first.logged()
    await first.close()
    await stage(await unpackBackup(of(bytes), passphrase, data), data)
    const store = await open()
    await store.accept([acceptance({ at: START + 2 })])
    expect(store.logged().incarnation).not.toBe(before.incarnation)
    await store.close()
  })

  test('a copy that is made while much is written is whole', async () => {
    const store = await open()
    let writing = true
    const load = (async () => {
      for (let n = 0; writing; n += 1) await store.accept([acceptance({ at: START + n })])
    })()
    for (let n = 0; n < 3; n += 1) {
      const unpacked = await unpackBackup(await backupOf(store), passphrase, join(home, `copy-${n}`))
      await stage(unpacked, join(home, `copy-${n}`))
    }
    writing = false
    await load
    await store.close()
    const copy = await open(join(home, 'copy-2'))
    expect((await copy.restored())?.deliveries).toBeGreaterThan(0)
    await copy.close()
  })

  test.each([
    ['twinline.db', 1],
    ['pair/key.pem', 1],
    ['twinline.db', 2],
  ])('a crash after %s was moved (%i) is no harm', async (name, step) => {
    mkdirSync(join(data, 'pair'))
    writeFileSync(join(data, 'pair', 'key.pem'), 'the key')
    const first = await open()
    const one = acceptance()
    await first.accept([one])
    const bytes = await kept(await backupOf(first))
    await first.close()
    writeFileSync(join(data, 'pair', 'key.pem'), 'another key')
    await stage(await unpackBackup(of(bytes), passphrase, data), data)
    // As far as it had come.
    const before = join(data, 'before-restore')
    mkdirSync(join(before, 'unfinished'), { recursive: true })
    const moved = name.includes('/') ? 'pair' : name
    renameSync(join(data, moved), join(before, moved))
    if (step === 2) {
      renameSync(join(data, 'pair'), join(before, 'pair'))
      cpSync(join(data, 'restored', 'pair'), join(data, 'pair'), { recursive: true })
      await rm(join(data, 'restored', 'pair'), { recursive: true })
    }
    takeStaged(data)
    expect(existsSync(join(data, 'restored'))).toBe(false)
    expect(readFileSync(join(data, 'pair', 'key.pem'), 'utf8')).toBe('the key')
    expect(readFileSync(join(before, 'pair', 'key.pem'), 'utf8')).toBe('another key')
    const store = await open()
    expect(await store.message(one.message.id)).toBeDefined()
    await store.close()
  })

  test.each(['../evil', '/etc/evil', 'pair/../../evil', 'lock.db', 'pair', 'documents/./x', ''])(
    'an entry named %j is refused, and nothing is left',
    async (name) => {
      const head = (value: object) => {
        const text = Buffer.from(JSON.stringify(value))
        const length = Buffer.alloc(4)
        length.writeUInt32BE(text.length)
        return Buffer.concat([length, text])
      }
      const manifest = Buffer.from(JSON.stringify({ format: 1, node: 'a', at: START, version: '1' }))
      const bytes = gzipSync(
        Buffer.concat([
          head({ name: 'manifest.json', size: manifest.length }),
          manifest,
          head({ name, size: 1 }),
          Buffer.from('x'),
          head({ end: true }),
        ]),
      )
      const failure = await unpackBackup(seal(passphrase, of(bytes)), passphrase, data).catch(
        (error: unknown) => error,
      )
      expect(failure).toBeInstanceOf(CodedError)
      expect(failure).toMatchObject({ code: 'backup-unusable' })
      expect(readdirSync(home)).toEqual(['data'])
      expect(readdirSync(data)).toEqual([])
    },
  )
})
