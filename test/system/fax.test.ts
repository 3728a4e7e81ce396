/** Fax from end to end: an appliance as a process, the soft modem on its line, documents over HTTP. */
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { chart, differences, pagesOf } from '../fax-modem/pages.ts'
import { startMailSink } from '../notify/sinks.ts'
import { describeWith } from '../requirements.ts'
import { type FaxRig, startFaxRig, until } from './fax-rig.ts'
import { items } from './inbound-rig.ts'

let rig: FaxRig | undefined
afterEach(async () => {
  await rig?.stop()
  rig = undefined
})

const parts = (timeline: { event: string; part?: number }[]) =>
  timeline.flatMap(({ event, part }) => (part === undefined ? [] : [`${event} ${part}`]))

describeWith(['spandsp', 'libtiff-tools', 'ghostscript'], 'fax, end to end', () => {
  test('busy, then every page row for row', { timeout: 60_000 }, async () => {
    rig = await startFaxRig({ outcomes: ['busy', 'answer'] }, ', retry: { busy: 1s }')
    const file = chart(join(rig.directory, 'two.tif'), { pages: 2, rows: 200 })
    const id = await rig.send(file)
    const sent = await rig.settled(id, 'sent')
    expect(sent).toMatchObject({ confirmed: 2, attempts: 2, possibleDuplicate: false, line: 'fax0' })
    expect(sent.timeline.map(({ reason }) => reason?.code)).toContain('fax-busy')
    const end = await rig.modem.next('far-end')
    expect(end).toMatchObject({ ok: true, received: 2, station: '+49 30 1' })
    expect(differences(file, end.file ?? '')).toEqual([])
  })

  test('killed during page 2 of 5: goes on at page 2, and repeats no page that was confirmed', {
    timeout: 90_000,
  }, async () => {
    rig = await startFaxRig({}, ', retry: { protocol: 1s }')
    const file = chart(join(rig.directory, 'five.tif'), { pages: 5, rows: 150 })
    const id = await rig.send(file)
    await until(async () => (await rig?.delivery(id))?.confirmed === 1, 'page 1 is confirmed', 30_000)
    await rig.box.kill('SIGKILL')
    await rig.restart()
    const sent = await rig.settled(id, 'sent')
    expect(sent).toMatchObject({ confirmed: 5, attempts: 2, possibleDuplicate: false })
    const steps = parts(sent.timeline)
    expect(steps.filter((step) => step.startsWith('confirm'))).toEqual(
      [0, 1, 2, 3].map((n) => `confirm ${n}`),
    )
    expect(steps.indexOf('confirm 0')).toBeLessThan(steps.lastIndexOf('intend 1'))
    const first = await rig.modem.next('far-end')
    const second = await rig.modem.next('far-end')
    expect(first.received).toBe(1)
    expect(second).toMatchObject({ ok: true, received: 4 })
    // Page 1 in the first call, pages 2 to 5 in the second.
    const bits = (path: string) => pagesOf(path).map((page) => page.bits)
    expect([...bits(first.file ?? '').slice(0, 1), ...bits(second.file ?? '')]).toEqual(bits(file))
  })

  test('cancelled in the middle of a page: the call ends, and what had arrived stays confirmed', {
    timeout: 60_000,
  }, async () => {
    rig = await startFaxRig()
    const { box, modem } = rig
    const file = chart(join(rig.directory, 'three.tif'), { pages: 3, rows: 800 })
    const id = await rig.send(file)
    await until(async () => (await rig?.delivery(id))?.confirmed === 1, 'page 1 is confirmed', 40_000)
    await box.call('DELETE', `/api/v1/messages/${id}`)
    expect(await rig.settled(id, 'cancelled')).toMatchObject({ confirmed: 1 })
    expect(await modem.next('far-end')).toMatchObject({ received: 1 })
    // The line is free again, and is tried with a page of its own.
    await until(async () => (await items(box, '/api/v1/lines'))[0]?.['busy'] === false, 'the line is free')
    const tried = await box.call('POST', '/api/v1/lines/fax0/test', { to: '+49 30 556', text: 'line test' })
    expect(tried.status).toBe(202)
    await rig.settled(String(tried.body['id']), 'sent')
    expect(await modem.next('far-end')).toMatchObject({ call: 2, ok: true, received: 1 })
  })

  test('a received fax is in the inbox, as PDF and as TIFF, and comes by mail', {
    timeout: 60_000,
  }, async () => {
    const mail = await startMailSink()
    onTestFinished(() => mail.stop())
    rig = await startFaxRig(
      { ringEvery: 1 },
      '',
      `mail: { url: smtp://127.0.0.1:${mail.port}, from: twinline@example.org }
inbound: { rules: [{ from: "*", kind: fax, do: { mail: [office@example.org] } }] }
`,
    )
    const file = chart(join(rig.directory, 'in.tif'), { pages: 2, rows: 200 })
    rig.modem.ring('0301234', file)
    const { box } = rig
    const inbox = () => items(box, '/api/v1/inbox')
    await until(async () => (await inbox()).length === 1, 'a fax in the inbox', 40_000)
    const [entry] = await inbox()
    expect(entry).toMatchObject({
      kind: 'fax',
      line: 'fax0',
      text: '',
      complete: true,
      parts: { total: 2, received: 2 },
      fax: { pages: 2 },
    })
    const token = await box.token()
    const fetched = async (type: string) => {
      const answer = await fetch(
        `${box.address}/api/v1/inbox/${String(entry?.['id'])}/document?type=${type}`,
        {
          headers: { authorization: `Bearer ${token}` },
        },
      )
      return Buffer.from(await answer.arrayBuffer())
    }
    await until(() => mail.mails.length === 1, 'a mail with the fax', 20_000)
    const [{ mail: letter } = { mail: undefined }] = mail.mails
    expect(letter?.subject).toMatch(/^Fax from .*: fax, 2 pages$/)
    expect(letter?.attachments).toMatchObject([
      { mimeType: 'application/pdf', filename: expect.stringMatching(/^fax-.*\.pdf$/) },
    ])
    expect((await fetched('pdf')).subarray(0, 5).toString()).toBe('%PDF-')
    expect((await fetched('tiff')).subarray(0, 2).toString()).toMatch(/II|MM/)
  })
})
