/** Received pages on another member's disk while the call goes on, and what becomes of them when its box is lost. */
import { mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { Answer } from '#core/member-questions.ts'
import type { ReceivedPage } from '#fax/contract.ts'
import { createPageCopies, type PageCopies } from '#fax/page-copies.ts'
import { createFaxReceiver, type FaxReceiver } from '#fax/receiving.ts'
import { readTiff } from '#fax/tiff.ts'
import { DocumentStore, noPeers } from '#store/documents.ts'
import { openStore } from '#store/sqlite.ts'
import { until } from '../system/appliance.ts'

const page = (number: number, size = 300_000): ReceivedPage => ({
  number,
  width: 1728,
  rows: 8,
  resolution: 196,
  // More than one piece.
  data: new Uint8Array(size).fill(number + 1),
  badRows: 0,
  complete: true,
})

interface Member {
  directory: string
  copies: PageCopies
  receiver: FaxReceiver
  documents: DocumentStore
  store: Awaited<ReturnType<typeof openStore>>
  faxes(): Promise<{ node: string; pages: number; complete: boolean; problem?: string }[]>
}

let data = ''
let members: Record<'a' | 'b', Member>
/** What a hears of b when it asks; absent: b's answer. */
let instead: ((question: string) => Promise<Answer>) | undefined
/** How b sees a. */
let standing: 'here' | 'away' | 'lost' | 'not-ours'
let questions: string[]

async function member(node: 'a' | 'b', other: 'a' | 'b'): Promise<Member> {
  const directory = join(data, node)
  const incoming = join(directory, 'fax-incoming')
  const documents = await DocumentStore.open({ directory, reserve: () => 0 })
  const store = await openStore({ directory, node })
  const copies = createPageCopies(
    incoming,
    {
      connected: () => [other],
      available: () => true,
      request(_to, body) {
        questions.push(body.slice(0, body.indexOf('\n')))
        return instead ? instead(body) : members[other].copies.answer(node, body)
      },
      standing: () => standing,
    },
    silent,
  )
  const receiver = createFaxReceiver({
    directory: incoming,
    clock: systemClock(0),
    log: silent,
    documents,
    peers: noPeers,
    receive: async (part, from = node) => void (await store.receive({ ...part, node: from })),
    pair: { copies, standing: () => standing, received: store.received },
  })
  return {
    directory: incoming,
    copies,
    receiver,
    documents,
    store,
    async faxes() {
      const { items } = await store.inbox({ limit: 10 })
      return items.map(({ node: from, fax }) => ({
        node: from,
        pages: fax?.pages ?? 0,
        complete: fax?.complete ?? false,
        ...(fax?.problem === undefined ? {} : { problem: fax.problem }),
      }))
    },
  }
}

beforeEach(async () => {
  // Only what is waited for by interval: nothing else here takes time of its own.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  data = await mkdtemp(join(tmpdir(), 'page-copies-'))
  instead = undefined
  standing = 'here'
  questions = []
  members = { a: await member('a', 'b'), b: await member('b', 'a') }
})
afterEach(async () => {
  vi.useRealTimers()
  for (const { receiver, store } of Object.values(members)) {
    receiver.stop()
    await store.close()
  }
  await rm(data, { recursive: true, force: true })
})

const copied = async () => {
  const [call = ''] = await readdir(members.b.directory).catch(() => [])
  return (await readdir(join(members.b.directory, call)).catch(() => [])).filter((name) =>
    /^page-\d{4}$/.test(name),
  )
}

/** Lets b look at what lies there, as it does every few seconds. */
async function look(holds: () => Promise<boolean>, what: string): Promise<void> {
  vi.advanceTimersByTime(5_000)
  vi.useRealTimers()
  await until(holds, what)
}

/** What stands in the logs of one member and not in those of the other. */
async function catchUp(to: Member['store'], from: Member['store']): Promise<void> {
  for (const { incarnation } of await from.positions()) {
    const known = (await to.positions()).find((one) => one.incarnation === incarnation)?.sequence ?? 0
    const batch = await from.read(incarnation, known, 100_000)
    if (batch === 'trimmed') throw new Error('trimmed')
    if (batch !== undefined) await to.merge(batch)
  }
}

describe('each received page', () => {
  it('is whole on the other disk before its sender is told that it came', async () => {
    const { a, b } = members
    const call = a.receiver.begin('fax0', '030123')
    await call.keep(page(0))
    expect(await copied()).toEqual(['page-0000'])
    await call.keep(page(1))
    expect(await copied()).toEqual(['page-0000', 'page-0001'])
    const [id = ''] = await readdir(b.directory)
    for (const name of await copied())
      expect(await readFile(join(b.directory, id, name))).toEqual(await readFile(join(a.directory, id, name)))
  })

  it('is brought to the inbox of the survivor, marked, with what was confirmed of the call', async () => {
    const { a, b } = members
    b.receiver.start()
    const call = a.receiver.begin('fax0', '030123')
    await call.keep(page(0))
    await call.keep(page(1))
    standing = 'lost'
    await look(async () => (await b.faxes()).length > 0, 'the fax is in the inbox of b')
    expect(await b.faxes()).toEqual([
      { node: 'a', pages: 2, complete: false, problem: 'a, which received it, was lost during the call.' },
    ])
    const { items } = await b.store.inbox({ limit: 1 })
    expect(items[0]).toMatchObject({ from: '030123', line: 'fax0' })
    const file = await readFile(b.documents.path(items[0]?.fax?.document.hash ?? ''))
    expect(readTiff(file, { pages: 9, rows: 99 })).toMatchObject({ pages: [{ height: 8 }, { height: 8 }] })
    await until(async () => (await readdir(b.directory)).length === 0, 'nothing lies there any more')
  })

  it('of a call that had ended is complete at the survivor, too', async () => {
    const { a, b } = members
    b.receiver.start()
    const call = a.receiver.begin('fax0', '030123')
    await call.keep(page(0))
    await call.end({ result: 'received', pages: 1, facts: { station: 'S' } })
    await vi.waitFor(async () => {
      const [id = ''] = await readdir(b.directory)
      expect(await readdir(join(b.directory, id))).toContain('end.json')
    })
    standing = 'lost'
    await look(async () => (await b.faxes()).length > 0, 'the fax is in the inbox of b')
    expect(await b.faxes()).toEqual([{ node: 'a', pages: 1, complete: true }])
  })

  it('is left to its member while that one lives, and forgotten once the fax is in the inbox', async () => {
    const { a, b } = members
    b.receiver.start()
    const call = a.receiver.begin('fax0', '030123')
    await call.keep(page(0))
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await b.faxes()).toEqual([])
    expect(await copied()).toEqual(['page-0000'])
    await call.end({ result: 'received', pages: 1, facts: {} })
    const { items } = await a.store.inbox({ limit: 1 })
    const [entry] = items
    if (entry?.fax === undefined) throw new Error('no fax')
    const id = entry.fax.document.name.slice('fax-'.length, -'.tif'.length)
    const { line, from, at, sentAt, text, node, fax } = entry
    const fingerprint = `fax:${id}:${fax.document.hash}`
    await b.store.receive({ fingerprint, call: id, line, from, at, sentAt, text, node, fax })
    await look(async () => (await readdir(b.directory)).length === 0, 'the copies are gone')
    expect(await b.faxes()).toHaveLength(1)
  })

  it('is forgotten everywhere when its call brought nothing', async () => {
    const { a, b } = members
    b.receiver.start()
    const call = a.receiver.begin('fax0', '030123')
    // Here it can be kept no more, and its sender is told so.
    const keeping = call.keep(page(0))
    await vi.waitFor(async () => expect(await copied()).toEqual(['page-0000']))
    await keeping
    const [id = ''] = await readdir(a.directory)
    await rm(join(a.directory, id, 'page-0000'))
    await call.end({ result: 'partial', pages: 0, failure: 'fax-modem', text: 'broke off', facts: {} })
    expect(await readdir(a.directory)).toEqual([])
    await vi.waitFor(async () => expect(await readdir(join(b.directory, id))).toContain('end.json'))
    await look(async () => (await readdir(b.directory)).length === 0, 'the copies are gone')
    expect(await b.faxes()).toEqual([])
  })

  it('that cannot be read now is not taken for none', async () => {
    const { a } = members
    const call = a.receiver.begin('fax0', '030123')
    await call.keep(page(0))
    const [id = ''] = await readdir(a.directory)
    const place = join(a.directory, id)
    // A name that leads nowhere useful, as on a disk that fails.
    await rename(place, join(data, 'aside'))
    await symlink(place, place)
    await call.end({ result: 'received', pages: 1, facts: {} })
    await rm(place)
    await rename(join(data, 'aside'), place)
    expect(await a.faxes()).toEqual([])
    a.receiver.start()
    vi.useRealTimers()
    await until(async () => (await a.faxes()).length > 0, 'the fax is in the inbox')
  })

  it.each([
    ['the same pages, and then the call broke off', 1, false],
    ['the same pages, and they are all', 1, true],
    ['a page that was not copied', 2, true],
    ['a page that was not copied, and then the call broke off', 2, false],
  ])('is one entry when the member that was lost comes back with %s', async (_, pages, complete) => {
    const { a, b } = members
    b.receiver.start()
    const call = a.receiver.begin('fax0', '')
    await call.keep(page(0))
    instead = async () => ({ result: 'failed', code: 'disk-full', text: 'full' })
    if (pages > 1) await call.keep(page(1))
    standing = 'lost'
    await look(async () => (await b.faxes()).length > 0, 'the fax is in the inbox of b')
    expect(await b.faxes()).toMatchObject([{ pages: 1, complete: false }])
    // Who sent it is known to its own member alone.
    const facts = { station: '+49 30 1' }
    if (complete) await call.end({ result: 'received', pages, facts })
    else await call.end({ result: 'partial', pages, failure: 'fax-line-dropped', text: 'cut', facts })
    await Promise.all([catchUp(a.store, b.store), catchUp(b.store, a.store)])
    const [there, here] = [await b.store.inbox({ limit: 9 }), await a.store.inbox({ limit: 9 })]
    expect(there.items).toMatchObject([{ complete, fax: { pages } }])
    expect(here.items).toEqual(there.items)
  })

  it('is confirmed after 3 s on one disk where the other member does not answer, and reaches it later', async () => {
    const { a } = members
    const answers: (() => void)[] = []
    instead = (body) =>
      new Promise((resolve) => answers.push(() => resolve(members.b.copies.answer('a', body))))
    const call = a.receiver.begin('fax0', '')
    let kept = false
    const keeping = call.keep(page(0, 1_000)).then(() => {
      kept = true
    })
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    await vi.advanceTimersByTimeAsync(2_900)
    expect(kept).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    await keeping
    for (const answer of answers) answer()
    await vi.waitFor(async () => expect(await copied()).toEqual(['page-0000']))
  })

  it('is confirmed at once where the other member refuses it', async () => {
    instead = async () => ({ result: 'failed', code: 'disk-full', text: 'full' })
    await members.a.receiver.begin('fax0', '').keep(page(0))
    expect(await copied()).toEqual([])
  })
})

describe('what a member sends', () => {
  const call = '{"id":"01890a5d-ac96-774b-bcce-b302099a8057","line":"fax0","caller":"","at":1}'
  it.each([
    ['nonsense', 'x'],
    ['no call', '{"name":"page-0000","at":0,"last":true}\n'],
    ['a way out of the directory', `{"call":${call},"name":"../../x","at":0,"last":true}\n`],
    [
      'a name that is no call',
      `{"call":{"id":"..","line":"","caller":"","at":1},"name":"page-0000","at":0,"last":true}\n`,
    ],
    ['a piece that does not follow', `{"call":${call},"name":"page-0000","at":7,"last":true}\neA==`],
    ['more than a page can have', `{"call":${call},"name":"page-0000","at":20000000,"last":true}\neA==`],
  ])('is refused when it is %s', async (_, body) => {
    expect(await members.b.copies.answer('a', body)).toMatchObject({ result: 'failed' })
    expect(await copied()).toEqual([])
  })

  it('changes nothing of a call of another member', async () => {
    const { a, b } = members
    await a.receiver.begin('fax0', '').keep(page(0, 100))
    const [id = ''] = await readdir(b.directory)
    const before = await readFile(join(b.directory, id, 'page-0000'))
    const body = `{"call":{"id":"${id}","line":"x","caller":"","at":1},"name":"page-0000","at":0,"last":true}\neA==`
    expect(await b.copies.answer('c', body)).toMatchObject({ result: 'failed' })
    expect(await readFile(join(b.directory, id, 'page-0000'))).toEqual(before)
  })

  it('is refused where pages of too many calls lie', async () => {
    const { b } = members
    await members.a.receiver.begin('fax0', '').keep(page(0, 100))
    for (let n = 0; n < 63; n += 1) await writeFile(join(b.directory, `other-${n}`), '')
    expect(
      await b.copies.answer('a', `{"call":${call},"name":"page-0000","at":0,"last":true}\neA==`),
    ).toMatchObject({ code: 'member-busy' })
  })
})
