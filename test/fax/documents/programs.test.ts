/** Programs that are missing or broken: what cannot become pages is not accepted, and what was accepted waits. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encode } from '#fax/coding/encode.ts'
import type { RenderPeers } from '#fax/documents/elsewhere.ts'
import { writeTiff } from '#fax/tiff.ts'
import { type DocumentPeers, noPeers } from '#store/documents.ts'
import { describeWith } from '../../requirements.ts'
import { printedPage } from '../pictures.ts'
import { greyTiff, openRig, pagesIn, pagesPdf, pdfOf, pngOf, type Rig, taken } from './rig.ts'

const fine = { resolution: 196 } as const
const whole = process.env['PATH'] ?? ''
const ghostscriptMissing = { code: 'ghostscript-missing' }
const nativeTiff = () =>
  writeTiff([{ width: 1728, rows: 100, resolution: 196, data: encode('MMR', printedPage(1728, 100)) }])

let directory = ''
let opened: Rig[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'programs-'))
})
afterEach(async () => {
  process.env['PATH'] = whole
  for (const rig of opened) await rig.close()
  opened = []
  rmSync(directory, { recursive: true })
})

async function open(options: Parameters<typeof openRig>[0] = {}): Promise<Rig> {
  const rig = await openRig(options)
  opened.push(rig)
  return rig
}

/** From here on only these programs are there; `gs` may be one that fails. */
function only(...programs: string[]): void {
  const place = mkdtempSync(join(directory, 'bin-'))
  for (const program of programs) symlinkSync(join('/usr/bin', program), join(place, program))
  process.env['PATH'] = place
}
const limiting = ['prlimit', 'setpriv']
function brokenGhostscript(): void {
  only(...limiting, 'tiff2pdf', 'chrt')
  const path = join(process.env['PATH'] ?? '', 'gs')
  writeFileSync(path, '#!/bin/sh\necho "cannot find its library" >&2\nexit 1\n')
  chmodSync(path, 0o755)
}

describeWith(['ghostscript', 'libtiff-tools'], 'programs of the system', () => {
  test('without Ghostscript only what is pages already is taken; nothing is left of the rest', async () => {
    only(...limiting)
    const rig = await open()
    const text = Buffer.from('words')
    const grey = pngOf(8, 8, 0, Array(8).fill(new Uint8Array(8)))
    for (const bytes of [Buffer.from('%PDF-1.4\n'), text, grey]) {
      expect(await rig.take(bytes)).toMatchObject({ result: 'refused', status: 503, ...ghostscriptMissing })
    }
    const tiff = taken(await rig.take(nativeTiff()))
    expect(await rig.fax.pages(tiff, fine)).toMatchObject({ result: 'pages' })
    expect(await rig.fax.pages(tiff, fine, { sender: 'x', at: 0 })).toMatchObject({
      result: 'later',
      reason: ghostscriptMissing,
    })
  })

  test('what another member can make pages of is taken here', async () => {
    only(...limiting)
    const rig = await open({ others: ['b'] })
    const text = Buffer.from('words')
    await rig.store.remember('renders:b', 'no')
    expect(await rig.take(text)).toMatchObject({ result: 'refused', ...ghostscriptMissing })
    await rig.store.remember('renders:b', 'yes')
    expect(await rig.take(text)).toMatchObject({ result: 'taken' })
    expect(await rig.store.recall('renders:a')).toBe('no')
  })

  test.each([
    ['missing', () => only(...limiting)],
    ['broken', brokenGhostscript],
  ])(
    'a fax that was accepted waits while Ghostscript is %s, and goes on when it is back',
    async (_, lose) => {
      const rig = await open()
      const pdf = taken(await rig.take(pagesPdf(1)))
      const tiff = taken(await rig.take(nativeTiff()))
      const another = pagesPdf(2)
      lose()
      const waits = {
        result: 'later',
        reason: { ...ghostscriptMissing, text: expect.stringContaining('goes on') },
      }
      expect(await rig.fax.pages(pdf, fine)).toMatchObject(waits)
      expect(await rig.fax.pages(tiff, fine, { sender: 'x', at: 0 })).toMatchObject(waits)
      expect(rig.fax.troubles().join(' ')).toMatch(/ghostscript/)
      expect(await rig.take(another)).toMatchObject({ result: 'refused', ...ghostscriptMissing })
      process.env['PATH'] = whole
      expect(await rig.fax.pages(pdf, fine)).toMatchObject({ result: 'pages', pages: 1 })
    },
  )

  test('another member that has Ghostscript makes the pages, with the lines above them, and both know of them', async () => {
    const nobody: RenderPeers = {
      connected: () => [],
      request: () => Promise.reject(new Error('nobody is asked in turn')),
    }
    const b = await open({ renderers: nobody })
    const peers: DocumentPeers = {
      ...noPeers,
      // From b, whatever a asks for.
      async fetch(hash) {
        if (!(await b.documents.find(hash))) return false
        const receiving = await a.documents.receive(10_000_000)
        await receiving.write(readFileSync(b.documents.path(hash)))
        await receiving.finish(hash)
        await receiving.close()
        return true
      },
    }
    const asked: string[] = []
    const renderers: RenderPeers = {
      connected: () => ['b'],
      async request(_to, body) {
        asked.push(body)
        const mine = process.env['PATH']
        process.env['PATH'] = whole
        const answer = await b.fax.render?.(body)
        process.env['PATH'] = mine
        return answer ?? { result: 'failed', code: 'x', text: 'x' }
      },
    }
    const a = await open({ peers, renderers })
    const bytes = pagesPdf(2)
    const document = taken(await a.take(bytes))
    taken(await b.take(bytes))
    only(...limiting)
    const plain = await a.fax.pages(document, fine)
    const called = await a.fax.pages(document, fine, { sender: '+49 30 1', at: 0 })
    if (plain.result !== 'pages' || called.result !== 'pages') throw new Error('no pages')
    const [below, above] = [pagesIn(plain.file), pagesIn(called.file)]
    expect(below.map(({ page }) => page.height)).toEqual([2292, 2292])
    expect(above.map(({ page }) => page.height)).toEqual([2324, 2324])
    expect(
      Buffer.from(above[1]?.bitmap.data.subarray(32 * 216) ?? []).equals(
        below[1]?.bitmap.data ?? new Uint8Array(),
      ),
    ).toBe(true)
    await called.release()
    expect(() => readFileSync(called.file)).toThrow()
    expect(asked).toHaveLength(2)
    for (const body of ['', '{}', '{"document":{"hash":"../x"},"resolution":196}'])
      expect(await b.fax.render?.(body)).toMatchObject({ result: 'failed', code: 'member-question-unknown' })
  })

  test('another member that has Ghostscript counts the pages of a PDF; what is refused is left nowhere', async () => {
    const nobody: RenderPeers = {
      connected: () => [],
      request: () => Promise.reject(new Error('nobody is asked in turn')),
    }
    const peers: DocumentPeers = {
      ...noPeers,
      // From a, whatever b is asked about.
      async fetch(hash) {
        const receiving = await b.documents.receive(10_000_000)
        await receiving.write(readFileSync(a.documents.path(hash)))
        await receiving.finish(hash)
        await receiving.close()
        return true
      },
    }
    const b = await open({ peers, renderers: nobody, maxPages: 1 })
    let connected = ['b']
    const renderers: RenderPeers = {
      connected: () => connected,
      async request(_to, body) {
        const mine = process.env['PATH']
        process.env['PATH'] = whole
        const answer = await b.fax.render?.(body)
        process.env['PATH'] = mine
        return answer ?? { result: 'failed', code: 'x', text: 'x' }
      },
    }
    const a = await open({ others: ['b'], renderers, maxPages: 3 })
    const [two, three, four] = [pagesPdf(2), pagesPdf(3), pagesPdf(4)]
    const locked = pdfOf('showpage', '-sOwnerPassword=o', '-sUserPassword=u')
    only(...limiting)
    // As many as are taken here, whatever is taken there.
    expect(taken(await a.take(two))).toMatchObject({ type: 'pdf', pages: 2 })
    const { length } = readdirSync(join(b.directory, 'documents'))
    for (const [bytes, code] of [
      [four, 'document-too-many-pages'],
      [locked, 'document-encrypted'],
      [Buffer.from('%PDF-1.4\n'), 'document-broken'],
    ] as const)
      expect(await a.take(bytes)).toMatchObject({ result: 'refused', status: 422, code })
    expect(readdirSync(join(b.directory, 'documents'))).toHaveLength(length)
    connected = []
    expect(await a.take(three)).toMatchObject({ result: 'refused', ...ghostscriptMissing })
  })

  test('a TIFF in grey waits for tiff2pdf', async () => {
    const rig = await open()
    const grey = taken(await rig.take(greyTiff()))
    only(...limiting, 'gs')
    expect(await rig.fax.pages(grey, fine)).toMatchObject({
      result: 'later',
      reason: { code: 'tiff2pdf-missing' },
    })
    process.env['PATH'] = whole
    expect(await rig.fax.pages(grey, fine)).toMatchObject({ result: 'pages' })
  })

  test('two calls of one minute whose pages another member made have a file each', async () => {
    const b = await open({
      renderers: { connected: () => [], request: () => Promise.reject(new Error('no')) },
    })
    const peers: DocumentPeers = {
      ...noPeers,
      async fetch(hash) {
        const receiving = await a.documents.receive(10_000_000)
        await receiving.write(readFileSync(b.documents.path(hash)))
        await receiving.finish(hash)
        await receiving.close()
        return true
      },
    }
    let answer = async (body: string) => {
      process.env['PATH'] = whole
      const made = await b.fax.render?.(body)
      only(...limiting)
      return made ?? { result: 'failed' as const, code: 'x', text: 'x' }
    }
    const renderers: RenderPeers = { connected: () => ['b'], request: (_to, body) => answer(body) }
    const a = await open({ peers, renderers })
    const tiff = nativeTiff()
    const document = taken(await a.take(tiff))
    taken(await b.take(tiff))
    only(...limiting)
    const header = { sender: '+49 30 1', at: 0 }
    const [one, other] = [
      await a.fax.pages(document, fine, header),
      await a.fax.pages(document, fine, header),
    ]
    if (one.result !== 'pages' || other.result !== 'pages') throw new Error('no pages')
    await one.release()
    expect(pagesIn(other.file)).toHaveLength(1)
    // And nobody is waited for when the program stops.
    answer = () => new Promise(() => {})
    const waiting = a.fax.pages(document, fine, header)
    await expect.poll(() => a.fax.troubles().length).toBeGreaterThan(0)
    a.fax.stop()
    expect(await waiting).toMatchObject({ result: 'later' })
  })

  test('a fax whose pages are being made when the program stops is tried again', async () => {
    const rig = await open()
    const text = taken(await rig.take(Buffer.from('words')))
    const making = rig.fax.pages(text, fine)
    rig.fax.stop()
    expect(await making).toMatchObject({ result: 'later', reason: { code: 'document-busy' } })
  })

  test('what a full disk cut off is not called damaged', async () => {
    const rig = await open()
    const pdf = taken(await rig.take(pagesPdf(1)))
    writeFileSync(rig.documents.path(pdf.hash), '%PDF-1.4 and no more')
    rig.documents.hasRoom = async () => false
    expect(await rig.fax.pages(pdf, fine)).toMatchObject({ result: 'later', reason: { code: 'disk-full' } })
    rig.documents.hasRoom = async () => true
    expect(await rig.fax.pages(pdf, fine)).toMatchObject({ result: 'failed' })
  })

  test('a full /tmp is no fault of Ghostscript', async () => {
    const before = process.env['TMPDIR']
    const pdf = pagesPdf(1)
    const rig = await open()
    process.env['TMPDIR'] = join(directory, 'nowhere')
    try {
      brokenGhostscript()
      expect(await rig.take(pdf)).toMatchObject({ result: 'refused', code: 'document-broken' })
      process.env['PATH'] = whole
      expect(await rig.take(pdf)).toMatchObject({ result: 'taken' })
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  })

  test('what is missing is named at the start, and only where a fax line is', async () => {
    only(...limiting, 'gs')
    const [rig, without] = [await open(), await open({ lines: false })]
    await expect
      .poll(() => rig.fax.troubles())
      .toEqual([
        'Fax needs the program chrt, which is not installed: apt-get install util-linux.',
        'Fax needs the program tiff2pdf, which is not installed: apt-get install libtiff-tools.',
      ])
    expect(without.fax.troubles()).toEqual([])
  })
})

describe('what a member has configured', () => {
  describeWith(['ghostscript'], 'of paper and pages', () => {
    test('does not change the pages of what another one accepted', async () => {
      const text = Buffer.from(Array.from({ length: 62 }, (_, n) => `line ${n}`).join('\n'))
      const [a, b] = [await open({ paper: 'legal' }), await open({ paper: 'a4', maxPages: 1 })]
      const document = taken(await a.take(Buffer.concat([text, Buffer.from('\f'), text])))
      expect(document).toMatchObject({ pages: 2, paper: 'legal' })
      const receiving = await b.documents.receive(1_000_000)
      await receiving.write(Buffer.concat([text, Buffer.from('\f'), text]))
      await receiving.finish()
      await receiving.close()
      const [there, here] = [await a.fax.pages(document, fine), await b.fax.pages(document, fine)]
      if (there.result !== 'pages' || here.result !== 'pages') throw new Error('no pages')
      expect(here.pages).toBe(2)
      expect(pagesIn(here.file).map(({ page }) => page.height)).toEqual(
        pagesIn(there.file).map(({ page }) => page.height),
      )
    })
  })
})
