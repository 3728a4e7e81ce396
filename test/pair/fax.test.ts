/** Fax in a pair: a member that is lost in the middle of a call, and the other one's own modem. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { chart, differences, pagesOf } from '../fax-modem/pages.ts'
import { programAt, startSoftModem } from '../fax-modem/soft-modem.ts'
import { describeWith } from '../requirements.ts'
import { until } from '../system/appliance.ts'
import { type DeliveryView, fetchOver, realTimePriority, SPEED, sendFax } from '../system/fax-rig.ts'
import { type PairBox, pairOf } from './boxes.ts'

async function modem(directory: string) {
  const started = await startSoftModem({ directory, speed: SPEED, ringEvery: 1, realTimePriority })
  onTestFinished(() => started.stop())
  return started
}

async function delivery(box: PairBox, id: string): Promise<DeliveryView | undefined> {
  const { deliveries } = (await box.ask('GET', `/messages/${id}`)).body
  return Array.isArray(deliveries) ? deliveries[0] : undefined
}

describeWith(['spandsp', 'libtiff-tools', 'ghostscript'], 'fax in a pair', () => {
  test('what comes in is at both; lost during page 2 of 4: the other one calls and goes on at page 2', {
    timeout: 120_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pair-fax-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const [modemA, modemB] = [await modem(join(directory, 'a')), await modem(join(directory, 'b'))]
    const plan = (port: string) => ({
      lines: [`{ id: fax0, kind: fax, port: 'serial://${port}', header: false, retry: { protocol: 1s } }`],
      ...programAt(SPEED),
    })
    const [a, b] = await pairOf(plan(modemA.port), plan(modemB.port))
    await Promise.all([a.line('fax0', 'ready'), b.line('fax0', 'ready')])
    // What comes in at the member that stands by is at both, with its pages.
    const incoming = chart(join(directory, 'in.tif'), { pages: 1, rows: 200 })
    modemB.ring('0301234', incoming)
    const inbox = async () => (await a.ask('GET', '/inbox')).body['items']
    await until(
      async () => Array.isArray(await inbox()) && String(await inbox()) !== '',
      'a fax at a',
      60_000,
    )
    const items = await inbox()
    const [entry] = Array.isArray(items) ? items : []
    expect(entry).toMatchObject({ node: 'box-b', kind: 'fax', complete: true, fax: { pages: 1 } })
    const stored = await fetchOver(a.controlSocket, `/inbox/${entry.id}/document?type=tiff`)
    expect(stored.status).toBe(200)
    const came = join(directory, 'came.tif')
    writeFileSync(came, stored.body)
    expect(differences(incoming, came)).toEqual([])

    const file = chart(join(directory, 'four.tif'), { pages: 4, rows: 300 })
    const id = await sendFax(a.controlSocket, file)
    await until(
      async () => (await delivery(b, id))?.confirmed === 1,
      'b knows that page 1 is confirmed',
      60_000,
    )
    await a.kill()
    expect(await b.sent(id)).toMatchObject({ node: 'box-b', possibleDuplicate: false })
    expect(await delivery(b, id)).toMatchObject({ confirmed: 4, attempts: 2 })
    await modemB.next('far-end')
    const end = await modemB.next('far-end')
    expect(end).toMatchObject({ ok: true, received: 3 })
    const rest = pagesOf(file).slice(1)
    expect(pagesOf(end.file ?? '').map(({ bits }) => bits)).toEqual(rest.map(({ bits }) => bits))
  })

  test('lost during page 3 of 5 that it receives: what it confirmed is in the inbox of the other one, marked', {
    timeout: 120_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pair-fax-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const soft = await modem(join(directory, 'b'))
    const [a, b] = await pairOf(
      { lines: [] },
      {
        lines: [`{ id: fax0, kind: fax, port: 'serial://${soft.port}', header: false }`],
        ...programAt(SPEED),
      },
    )
    await b.line('fax0', 'ready')
    const file = chart(join(directory, 'five.tif'), { pages: 5, rows: 700 })
    soft.ring('0301234', file)
    const confirmed = async () => {
      const { items } = (await b.ask('GET', '/lines')).body
      const [line] = Array.isArray(items) ? items : []
      return /page 3/.test(line?.fax?.progress ?? '')
    }
    await until(confirmed, 'b receives page 3', 60_000)
    await b.kill()
    await a.sees('box-b', 'DEAD')
    const faxes = async () => {
      const { items } = (await a.ask('GET', '/inbox')).body
      return Array.isArray(items) ? items : []
    }
    await until(async () => (await faxes()).length > 0, 'the fax is in the inbox of a', 60_000)
    const [entry] = await faxes()
    expect(entry).toMatchObject({
      node: 'box-b',
      from: '0301234',
      complete: false,
      fax: { pages: 2, problem: expect.stringContaining('box-b') },
    })
    const stored = await fetchOver(a.controlSocket, `/inbox/${entry.id}/document?type=tiff`)
    const came = join(directory, 'came.tif')
    writeFileSync(came, stored.body)
    expect(pagesOf(came).map(({ bits }) => bits)).toEqual(
      pagesOf(file)
        .slice(0, 2)
        .map(({ bits }) => bits),
    )
    // What comes back with the same pages adds nothing.
    await b.start()
    await a.inStepWith('box-b')
    await b.line('fax0', 'ready')
    await until(
      () => readdirSync(join(dirname(b.controlSocket), 'fax-incoming')).length === 0,
      'b has brought its pages to the inbox, too',
      30_000,
    )
    expect(await faxes()).toHaveLength(1)
  })
})
