/** Received pages on their way to the inbox: kept one by one, whole at the end, and after a crash. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { ReceivedPage } from '#fax/contract.ts'
import { createFaxReceiver } from '#fax/receiving.ts'
import { readTiff } from '#fax/tiff.ts'
import type { InboundPart } from '#messages/inbound.ts'
import { DocumentStore, noPeers } from '#store/documents.ts'

/** One white row of 1728 dots in T.6 is the vertical mode V0: a single 1 (ITU-T T.6, table 1). */
const page = (number: number, complete = true): ReceivedPage => ({
  number,
  width: 1728,
  rows: 8,
  resolution: 196,
  data: Uint8Array.of(0xff, 0x00, 0x10, 0x01),
  badRows: 0,
  complete,
})

let data = ''
let directory = ''
let parts: Omit<InboundPart, 'node'>[] = []
let documents: DocumentStore
/** Bytes that are to stay free. */
let reserve = 0

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'receiving-'))
  directory = join(data, 'incoming')
  reserve = 0
  documents = await DocumentStore.open({ directory: data, reserve: () => reserve })
  parts = []
})
afterEach(() => rm(data, { recursive: true, force: true }))

const receiver = () =>
  createFaxReceiver({
    directory,
    clock: systemClock(0),
    log: silent,
    documents,
    peers: noPeers,
    receive: async (part) => void parts.push(part),
  })

describe('a received fax', () => {
  it('becomes one document and one entry, and leaves nothing behind', async () => {
    const call = receiver().begin('fax0', '030123')
    await call.keep(page(0))
    await call.keep(page(1))
    expect(await readdir(directory)).toHaveLength(1)
    await call.end({ result: 'received', pages: 2, facts: { station: '+49 30 99' } })
    expect(parts).toMatchObject([
      {
        line: 'fax0',
        from: '030123',
        text: '',
        fax: { pages: 2, complete: true, station: '+49 30 99', document: { type: 'tiff', pages: 2 } },
      },
    ])
    const path = documents.path(parts[0]?.fax?.document.hash ?? '')
    expect(readTiff(await readFile(path), { pages: 9, rows: 99 })).toMatchObject({
      result: 'pages',
      pages: [{ width: 1728, height: 8, compression: 4 }, {}],
    })
    expect(await readdir(directory)).toEqual([])
  })

  it('keeps what came before the line dropped, and says so', async () => {
    const call = receiver().begin('fax0', '')
    await call.keep(page(0))
    await call.keep(page(1, false))
    await call.end({
      result: 'partial',
      pages: 2,
      failure: 'fax-line-dropped',
      text: 'The line dropped on page 2.',
      facts: { station: 'STATION' },
    })
    expect(parts[0]).toMatchObject({
      from: 'STATION',
      fax: { pages: 2, complete: false, problem: 'The line dropped on page 2.' },
    })
  })

  it('is no entry when the caller was no fax machine, or brought no page', async () => {
    await receiver().begin('fax0', '1').end({ result: 'no-fax', text: 'A person.' })
    const call = receiver().begin('fax0', '1')
    await call.end({ result: 'partial', pages: 0, failure: 'fax-training-failed', text: 'x', facts: {} })
    expect(parts).toEqual([])
    expect(await readdir(directory).catch(() => [])).toEqual([])
  })

  it('is made whole at the next start when the program ended in the middle of the call', async () => {
    const call = receiver().begin('fax0', '030123')
    await call.keep(page(0))
    const again = receiver()
    again.start()
    await expect.poll(() => parts).toHaveLength(1)
    expect(parts[0]).toMatchObject({ from: '030123', fax: { pages: 1, complete: false } })
    again.stop()
  })

  it('is made whole without the page that a power cut left half written', async () => {
    const call = receiver().begin('fax0', '030123')
    await call.keep(page(0))
    const [place = ''] = await readdir(directory)
    const [kept] = (await readdir(join(directory, place))).filter((name) => name.startsWith('page-'))
    await writeFile(join(directory, place, `${kept?.replace(/0$/, '1')}.new`), '')
    const again = receiver()
    again.start()
    await expect.poll(() => parts).toHaveLength(1)
    expect(parts[0]).toMatchObject({ fax: { pages: 1, complete: false } })
    expect(await readdir(directory)).toEqual([])
    again.stop()
  })

  it('waits at its end for a page that is still being written', async () => {
    const call = receiver().begin('fax0', '030123')
    await call.keep(page(0))
    const [place = ''] = await readdir(directory)
    // Nobody can write to a pipe before somebody reads it: a disk that hangs.
    const pipe = join(directory, place, 'page-0001.new')
    execFileSync('mkfifo', [pipe])
    const kept = call.keep(page(1)).then(
      () => 'kept',
      () => 'not kept',
    )
    const ended = call.end({ result: 'received', pages: 1, facts: {} }).then(() => 'ended')
    setTimeout(() => void readFile(pipe).catch(() => {}), 300)
    expect(await Promise.race([kept, ended])).toBe('not kept')
    await ended
    expect(parts).toMatchObject([{ fax: { pages: 1 } }])
  })

  it('waits on the disk while the documents have no room, and comes in once they have', async () => {
    reserve = 1e15
    const first = receiver()
    const call = first.begin('fax0', '030123')
    await call.keep(page(0))
    await call.end({ result: 'received', pages: 1, facts: { station: 'S' } })
    expect(parts).toEqual([])
    first.stop()
    reserve = 0
    const again = receiver()
    again.start()
    await expect.poll(() => parts).toHaveLength(1)
    // How the call ended is known still.
    expect(parts[0]).toMatchObject({ fax: { complete: true, station: 'S' } })
    again.stop()
  })
})
