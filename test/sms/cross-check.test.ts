/**
 * Two published codecs as judges, each only where it is right. Both share none of this project's code or mistakes.
 * pdu.ts knows the extension table and 8-bit concatenation, but cuts escape pairs, drops what it cannot encode and misreads
 * west time zones; node-pdu reads 16-bit concatenation and status reports, but has no extension table and takes the
 * section sign for a back-tick.
 */
import fc from 'fast-check'
import { Deliver, parse, Report, Submit } from 'node-pdu'
import pduTs from 'pdu.ts'
import { describe, expect, test } from 'vitest'
import { decodeIncoming } from '#sms/deliver.ts'
import { asDeliver, pdusOf, received } from './as-deliver.ts'

const { PDUParser } = pduTs
const centre = '0791447758100650'

const plain = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;!?()+-*/=<>&%#"\''
const basic = fc.string({
  unit: fc.constantFrom(...plain, ...'£¥èéùìòÇØøÅåÆæßÉÄÖÑÜäöñüàΔΦΓΛΩΠΨΣΘΞ'),
  minLength: 1,
  maxLength: 400,
})
const extended = fc.string({ unit: fc.constantFrom(...plain, ...'{}[]~^|\\€'), minLength: 1, maxLength: 400 })
const wide = fc.string({ unit: fc.constantFrom(...'Привет世界日本語abc ç😀'), minLength: 1, maxLength: 200 })

describe('pdu.ts', () => {
  test('reads what this project writes', () => {
    fc.assert(
      fc.property(fc.oneof(basic, extended, wide), (text) => {
        const theirs = pdusOf(text, 8).map((pdu) => PDUParser.Parse(asDeliver(pdu, centre)).text)
        expect(theirs).toEqual(received(text, 8).map((pdu) => pdu.text))
        expect(theirs.join('')).toBe(text)
      }),
    )
  })

  test('writes the same user data for a single part', () => {
    const single = fc.oneof(
      basic.filter((text) => text.length <= 160),
      extended.map((text) => text.slice(0, 80)),
    )
    fc.assert(
      fc.property(single, (text) => {
        // Its types promise strings; it gives objects.
        const theirs = PDUParser.Generate({
          smsc: '',
          smsc_type: 81,
          receiver: '491701234567',
          receiver_type: 91,
          encoding: '7bit',
          text,
          request_status: false,
        })
        const [ours = ''] = pdusOf(text, 8)
        expect(JSON.stringify(theirs).toUpperCase()).toContain(`${ours.slice(28)}"`)
      }),
    )
  })
})

describe('node-pdu', () => {
  test('reads submissions with a 16-bit reference', () => {
    fc.assert(
      fc.property(fc.oneof(basic, wide), (text) => {
        const pdus = pdusOf(text, 16)
        const parts = received(text, 16)
        pdus.forEach((pdu, i) => {
          const theirs = parse(pdu)
          if (!(theirs instanceof Submit)) throw new Error('not a submission')
          expect(theirs.address.phone).toBe('491701234567')
          expect(theirs.data.getText()).toBe(parts[i]?.text)
        })
      }),
    )
  })

  test('reads the same messages and status reports', () => {
    const deliver = '07919730071111F1000B919746121611F10000811170021222230DC8329BFD6681EE6F399B1C02'
    const theirs = parse(deliver)
    const ours = decodeIncoming(deliver)
    if (!(theirs instanceof Deliver) || ours.type !== 'deliver') throw new Error('not a message')
    expect(ours.text).toBe(theirs.data.getText())
    expect(ours.from).toBe(`+${theirs.address.phone}`)

    const pdu = '0006040D91945152991136F00160124130340A0160124130940A46'
    const report = parse(pdu)
    const ourReport = decodeIncoming(pdu)
    if (!(report instanceof Report) || ourReport.type !== 'statusReport') throw new Error('not a report')
    expect(ourReport.reference).toBe(report.reference)
    expect(ourReport.status).toBe(report.status)
    expect(ourReport.to).toBe(`+${report.address.phone}`)
  })
})
