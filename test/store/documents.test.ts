/** Documents as files, and who refers to them. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DocumentStore, waitFor } from '#store/documents.ts'
import { openStore } from '#store/sqlite.ts'
import { acceptance, because, change, part, START } from './fixtures.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'documents-'))
})
afterEach(() => rm(directory, { recursive: true }))

const DAY = 86_400_000
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const open = (reserve = 0) => DocumentStore.open({ directory, reserve: () => reserve })
const files = () => readdir(join(directory, 'documents'))

async function put(documents: DocumentStore, bytes: Uint8Array): Promise<string> {
  const receiving = await documents.receive(10_000_000)
  await receiving.write(bytes)
  const stored = await receiving.finish()
  await receiving.close()
  return stored?.hash ?? ''
}

test('a document is a file under its hash, once, however often it comes', async () => {
  const documents = await open()
  const bytes = Buffer.from('what is to be faxed')
  const hash = await put(documents, bytes)
  expect(hash).toBe(sha256(bytes))
  expect(await put(documents, bytes)).toBe(hash)
  expect(await files()).toEqual([hash])
  expect(await readFile(documents.path(hash))).toEqual(bytes)
  expect(await documents.find(hash)).toEqual({ hash, bytes: bytes.length })
  expect(await documents.read(hash, 5, 4)).toEqual(bytes.subarray(5, 9))
  expect(await documents.find(sha256(Buffer.from('another')))).toBeUndefined()
  expect(await documents.find('../twinline.db')).toBeUndefined()
  expect(() => documents.path('../twinline.db')).toThrow('hash')
})

test('it can be read while it comes, and who waits is told of more and of the end', async () => {
  const documents = await open()
  const receiving = await documents.receive(1_000)
  const more = receiving.changed()
  await receiving.write(Buffer.from('one '))
  await more
  expect((await receiving.read(0, 100)).toString()).toBe('one ')
  await receiving.write(Buffer.from('two'))
  expect((await receiving.read(4, 100)).toString()).toBe('two')
  const end = receiving.changed()
  await receiving.finish()
  await end
  expect(receiving.state).toBe('finished')
  await receiving.close()
})

test('what is half done, too large or not what was said leaves nothing behind', async () => {
  const documents = await open()
  const large = await documents.receive(10)
  await expect(large.write(Buffer.alloc(11))).rejects.toMatchObject({ code: 'document-too-large' })
  await large.abandon()
  await large.close()
  const other = await documents.receive(10)
  await other.write(Buffer.from('x'))
  expect(await other.finish(sha256(Buffer.from('y')))).toBeUndefined()
  await other.close()
  expect(await files()).toEqual([])

  const half = await documents.receive(10)
  await half.write(Buffer.from('x'))
  expect(await files()).toHaveLength(1)
  await half.close()
  const kept = await put(documents, Buffer.from('whole'))
  await open()
  expect(await files()).toEqual([kept])
})

test('the room that is to stay free is not taken', async () => {
  const documents = await open(Number.MAX_SAFE_INTEGER)
  await expect(documents.receive(10)).rejects.toMatchObject({ code: 'disk-full' })
  expect(await files()).toEqual([])
})

test('a disk that fills up during an upload ends it, and nothing of it stays', async () => {
  let reserve = 0
  const documents = await DocumentStore.open({ directory, reserve: () => reserve })
  const receiving = await documents.receive(10_000_000)
  await receiving.write(Buffer.alloc(1_500_000))
  reserve = Number.MAX_SAFE_INTEGER
  await expect(receiving.write(Buffer.alloc(1_500_000))).rejects.toMatchObject({ code: 'disk-full' })
  await receiving.abandon()
  await receiving.close()
  expect(await files()).toEqual([])
})

test('an acceptance waits 5 s for a document and 1 s a megabyte, and never longer than a connection may be silent', () => {
  expect([0, 1_000_000, 20_000_000, 1e9].map(waitFor)).toEqual([5_000, 6_000, 25_000, 45_000])
})

test('what a program made is taken over', async () => {
  const documents = await open()
  const path = documents.temporary()
  await writeFile(path, 'pages')
  const stored = await documents.adopt(path)
  expect(stored).toEqual({ hash: sha256(Buffer.from('pages')), bytes: 5 })
  expect(await files()).toEqual([stored.hash])
})

test('what nobody needs any more goes, a day after anything was done with it', async () => {
  const documents = await open()
  const [needed, idle, fresh] = [
    await put(documents, Buffer.from('needed')),
    await put(documents, Buffer.from('idle')),
    await put(documents, Buffer.from('fresh')),
  ]
  const now = Date.now()
  for (const hash of [needed, idle]) {
    const at = (now - 2 * DAY) / 1_000
    await utimes(documents.path(hash), at, at)
  }
  const asked: string[][] = []
  const sweep = () =>
    documents.sweep(
      now,
      async (hashes) => {
        asked.push([...hashes].sort())
        return hashes.filter((hash) => hash === needed)
      },
      100,
    )
  expect(await sweep()).toBe(1)
  expect(asked).toEqual([[needed, idle].sort()])
  expect((await files()).sort()).toEqual([needed, fresh].sort())
  expect(await sweep()).toBe(0)
  expect(asked).toHaveLength(1)
})

test('what is handed in again while it is asked about stays', async () => {
  const documents = await open()
  const bytes = Buffer.from('again')
  const hash = await put(documents, bytes)
  const now = Date.now()
  await documents.touch(hash, now - 2 * DAY)
  const asked = async () => {
    await put(documents, bytes)
    return []
  }
  expect(await documents.sweep(now, asked, 100)).toBe(0)
  expect(await files()).toEqual([hash])
})

const document = (hash: string) => ({ hash, type: 'pdf' as const, name: 'a.pdf', bytes: 3, pages: 1 })
const hashOf = (n: number) => sha256(Buffer.from([n]))

test('messages refer to documents in the queue and in the archive, and to their pages', async () => {
  const store = await openStore({ directory, node: 'a' })
  const sent = acceptance({})
  sent.message.document = document(hashOf(1))
  const open = acceptance({})
  open.message.document = document(hashOf(2))
  const text = acceptance({ text: `{"document":{"hash":"${hashOf(3)}"}}` })
  await store.accept([sent, open, text])
  await store.remember(
    `pages:${hashOf(2)}:196:a4`,
    JSON.stringify({ hash: hashOf(4), pages: 1, resolution: 196 }),
  )
  await store.remember(
    `pages:${hashOf(9)}:196:a4`,
    JSON.stringify({ hash: hashOf(5), pages: 1, resolution: 196 }),
  )
  const all = [1, 2, 3, 4, 5, 6].map(hashOf)
  expect(await store.documentsInUse(all)).toEqual([1, 2, 4].map(hashOf))
  // The pages of what nobody refers to are forgotten with it.
  expect(await store.facts(`pages:${hashOf(9)}`)).toEqual([])
  expect((await store.documentsNeeded(10)).sort()).toEqual([1, 2, 4].map(hashOf).sort())

  const [delivery] = sent.deliveries
  await store.record([change(delivery?.id ?? '', { event: 'fail', reason: because('refused') }, START)])
  expect((await store.documentsNeeded(10)).sort()).toEqual([2, 4].map(hashOf).sort())
  await store.sweep(START + 2 * DAY, { queue: DAY, archive: 10 * DAY }, 100)
  expect(await store.documentsInUse(all)).toContain(hashOf(1))
  await store.sweep(START + 20 * DAY, { queue: DAY, archive: 10 * DAY }, 100)
  expect(await store.documentsInUse(all)).not.toContain(hashOf(1))
  await store.close()
})

test('the pages of received faxes are to be on every disk, the newest ones first', async () => {
  const store = await openStore({ directory, node: 'a' })
  for (const n of [1, 2, 3]) {
    const fax = { document: { ...document(hashOf(n)), type: 'tiff' as const }, pages: 1, complete: true }
    await store.receive({ ...part({ reference: n, from: `+49${n}` }), text: '', fax })
    await store.receive(part({ reference: n + 10, text: `{"fax":{"document":{"hash":"${hashOf(9)}"}}}` }))
  }
  expect(await store.documentsNeeded(2)).toEqual([3, 2].map(hashOf))
  expect(await store.documentsInUse([1, 9].map(hashOf))).toEqual([hashOf(1)])
  await store.close()
})

test('whether something of a call was received is known by how its fingerprint begins', async () => {
  const store = await openStore({ directory, node: 'a' })
  await store.receive({ ...part({ reference: 1, from: '+491' }), fingerprint: 'fax:call-2:ff' })
  const known = await Promise.all(
    ['fax:call-2', 'fax:call-2:ff', 'fax:call-1', 'fax:call-3', 'fax:call-22'].map(store.received),
  )
  expect(known).toEqual([true, true, false, false, false])
  await store.close()
})

test('an index serves the question', async () => {
  await (await openStore({ directory, node: 'a' })).close()
  const db = new DatabaseSync(join(directory, 'twinline.db'))
  const plan = (table: string) =>
    db
      .prepare(
        `EXPLAIN QUERY PLAN SELECT 1 FROM ${table} WHERE instr(document, '"document":{') > 0 AND json_extract(document, '$.document.hash') = ?`,
      )
      .all('x')
  expect(JSON.stringify(plan('messages'))).toContain('messages_document')
  expect(JSON.stringify(plan('archive_messages'))).toContain('archive_messages_document')
  db.close()
})
