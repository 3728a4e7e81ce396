/** Received pages on their way to the inbox: kept one by one, whole at the end, and after a crash. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { silent } from '#core/log.ts'
import type { ReceivedPage } from '#fax/contract.ts'
import type { Taken } from '#fax/documents/contract.ts'
import { createFaxReceiver } from '#fax/receiving.ts'
import { readTiff } from '#fax/tiff.ts'
import type { InboundPart } from '#messages/inbound.ts'

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

let directory = ''
let parts: Omit<InboundPart, 'node'>[] = []
let documents: Buffer[] = []
let refuses = false

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'receiving-'))
  parts = []
  documents = []
  refuses = false
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function take(source: AsyncIterable<Uint8Array>, name: string): Promise<Taken> {
  if (refuses) return { result: 'refused', status: 507, code: 'disk-full', text: 'no room' }
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  documents.push(bytes)
  const read = readTiff(bytes, { pages: 500, rows: 20_000 })
  if (read.result !== 'pages') throw new Error(read.text)
  return {
    result: 'taken',
    document: { hash: 'a'.repeat(64), type: 'tiff', name, bytes: bytes.length, pages: read.pages.length },
  }
}

const receiver = () =>
  createFaxReceiver({
    directory,
    clock: systemClock(0),
    log: silent,
    documents: { take },
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
    expect(await readdir(directory)).toEqual([])
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

  it('waits on the disk while the documents have no room, and comes in once they have', async () => {
    refuses = true
    const first = receiver()
    const call = first.begin('fax0', '030123')
    await call.keep(page(0))
    await call.end({ result: 'received', pages: 1, facts: { station: 'S' } })
    expect(parts).toEqual([])
    first.stop()
    refuses = false
    const again = receiver()
    again.start()
    await expect.poll(() => parts).toHaveLength(1)
    // How the call ended is known still.
    expect(parts[0]).toMatchObject({ fax: { complete: true, station: 'S' } })
    again.stop()
  })
})
