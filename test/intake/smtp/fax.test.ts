/** Mail to fax+NUMBER, at a real appliance whose fax modem is away: what is accepted stays in the queue. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pagesPdf } from '../../fax/documents/rig.ts'
import { describeWith } from '../../requirements.ts'
import { type RunningAppliance, startAppliance } from '../../system/appliance.ts'

const smtp = `intake: { smtp: { listen: '127.0.0.1:0', domains: [fax.test], allow: [127.0.0.0/8], auth: optional } }\n`
const fax = `  - { id: fax0, kind: fax, port: "tcp://127.0.0.1:1", class: "1" }\n`
const people = `contacts: [{ id: ann, fax: "+49301" }, { id: eve, sms: "+49302" }]
groups: [{ id: offices, members: [ann, eve] }]
`

interface Shown {
  id: string
  text: string
  document?: { name: string; type: string; pages: number }
  deliveries: { to: string; channel: string; parts: number }[]
}

class Box {
  readonly directory: string
  readonly appliance: RunningAppliance

  private constructor(directory: string, appliance: RunningAppliance) {
    this.directory = directory
    this.appliance = appliance
  }

  static async start(more: string, ports: string[]): Promise<Box> {
    const directory = mkdtempSync(join(tmpdir(), 'smtp-fax-'))
    return new Box(directory, await startAppliance({ directory, ports, more }))
  }

  /** @returns what the server said at the end */
  async mail(options: SendMailOptions): Promise<string> {
    const port = Number(/smtp:\/\/127\.0\.0\.1:([0-9]+)/.exec(this.appliance.log())?.[1])
    const transport = createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false } })
    try {
      const { response } = await transport.sendMail({ from: 'scanner@fax.test', ...options })
      return response
    } catch (error) {
      return error instanceof Error && 'response' in error ? String(error.response) : String(error)
    } finally {
      transport.close()
    }
  }

  async newest(count: number): Promise<Shown[]> {
    const { body } = await this.appliance.call('GET', `/api/v1/messages?limit=${count}`)
    return body['items'] as Shown[]
  }

  async stop(): Promise<void> {
    await this.appliance.kill('SIGTERM')
    rmSync(this.directory, { recursive: true, force: true })
  }
}

describeWith(['ghostscript'], 'mail to a fax line', () => {
  let box: Box
  const pdf = pagesPdf(2)
  beforeAll(async () => {
    box = await Box.start(fax + smtp + people, [])
  })
  afterAll(() => box.stop())

  test('attachments become messages of their own, in their order; the words of the mail stay behind', async () => {
    const said = await box.mail({
      to: 'fax+4930123456@fax.test',
      subject: 'Two  letters',
      text: 'see the files',
      attachments: [
        { filename: 'offer.pdf', content: pdf },
        { filename: 'note.txt', content: 'a note' },
      ],
    })
    expect(said).toMatch(/^250 .*queued as \S+ \S+$/)
    const [second, first] = await box.newest(2)
    expect(first).toMatchObject({
      text: 'Two letters',
      document: { name: 'offer.pdf', type: 'pdf', pages: 2 },
      deliveries: [{ to: '+4930123456', channel: 'fax', parts: 2 }],
    })
    expect(second).toMatchObject({ document: { name: 'note.txt', type: 'text', pages: 1 } })
  })

  test('a mail without attachments is faxed as a page, however long it is', async () => {
    expect(
      await box.mail({ to: 'fax+4930123456@fax.test', subject: 'Alarm', text: 'line\n'.repeat(100) }),
    ).toMatch(/^250/)
    const [message] = await box.newest(1)
    expect(message).toMatchObject({ text: 'Alarm', document: { type: 'text', pages: 2 } })
  })

  test('the logo of a signature and the signature itself are no documents', async () => {
    await box.mail({
      to: 'fax+4930123456@fax.test',
      subject: 'With logo',
      html: '<p>Hello</p><img src="cid:logo">',
      attachments: [
        { filename: 'logo.png', content: Buffer.from('89504e470d0a1a0a', 'hex'), cid: 'logo' },
        { filename: 'smime.p7s', content: 'x', contentType: 'application/pkcs7-signature' },
        { filename: 'offer.pdf', content: pdf },
      ],
    })
    const [message, before] = await box.newest(2)
    expect(message).toMatchObject({ text: 'With logo', document: { name: 'offer.pdf' } })
    expect(before?.text).toBe('Alarm')
  })

  test('a mail that comes twice is faxed once to each', async () => {
    const mail = {
      to: ['fax+4930123456@fax.test', 'fax+4930123457@fax.test'],
      messageId: '<twice@fax.test>',
      attachments: [{ filename: 'offer.pdf', content: pdf }],
    }
    const first = await box.mail(mail)
    expect(await box.mail(mail)).toBe(first)
    expect(first).toMatch(/queued as \S+ \S+$/)
  })

  test('what cannot be faxed refuses the whole mail, and names the attachment', async () => {
    const [before] = await box.newest(1)
    const said = await box.mail({
      to: 'fax+4930123456@fax.test',
      attachments: [
        { filename: 'offer.pdf', content: pdf },
        { filename: 'table.xlsx', content: Buffer.from('504b030414000600', 'hex') },
      ],
    })
    expect(said).toMatch(/^554 .*document-unsupported: table\.xlsx: .*Save it as a PDF/)
    expect(await box.newest(1)).toEqual([before])
    expect(
      await box.mail({
        to: 'fax+4930123456@fax.test',
        attachments: Array(21).fill({ filename: 'a.txt', content: 'a' }),
      }),
    ).toMatch(/^554 .*too-many-documents/)
    expect(await box.mail({ to: 'fax+nobody@fax.test', text: 'x' })).toMatch(/^550 .*invalid-recipient/)
  })

  test('a contact or a group is known by its fax numbers', async () => {
    expect(await box.mail({ to: 'fax+offices@fax.test', text: 'To the offices' })).toMatch(/^250 /)
    expect(await box.newest(1)).toMatchObject([{ deliveries: [{ to: '+49301', channel: 'fax' }] }])
    expect(await box.mail({ to: 'fax+eve@fax.test', text: 'x' })).toMatch(/^550 .*no fax number/)
  })
})

describe('mail without a fax line', () => {
  test('its recipient is refused, naming that', async () => {
    const box = await Box.start(smtp, ['tcp://127.0.0.1:1'])
    try {
      expect(await box.mail({ to: 'fax+4930123456@fax.test', text: 'x' })).toMatch(
        /^550 .*no-line: no fax line is configured/,
      )
    } finally {
      await box.stop()
    }
  })
})
