/**
 * Documents that cannot be faxed, by each way in: the answer names the reason, nothing is in the queue, nothing is left on
 * the disk. And uploads that end before their end: the client goes, the program dies, the disk is full.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { twinline } from '../cli/program.ts'
import { millionPages, tiffThatSays } from '../fax/documents/bombs.ts'
import { pagesPdf, pdfOf } from '../fax/documents/rig.ts'
import { describeWith } from '../requirements.ts'
import { type RunningAppliance, startAppliance, until } from './appliance.ts'

const smtp = `intake: { smtp: { listen: '127.0.0.1:0', domains: [fax.test], allow: [127.0.0.0/8], auth: optional } }\n`
const line = '  - { id: fax0, kind: fax, port: "tcp://127.0.0.1:1", class: "1" }\n'

class Box {
  readonly directory: string
  appliance: RunningAppliance
  token = ''

  private constructor(appliance: RunningAppliance, directory: string) {
    this.appliance = appliance
    this.directory = directory
  }

  static async start(lines: string, more = ''): Promise<Box> {
    const directory = mkdtempSync(join(tmpdir(), 'fax-bad-'))
    const options = { directory, ports: lines === '' ? ['tcp://127.0.0.1:1'] : [], more: lines + more + smtp }
    const box = new Box(await startAppliance(options), directory)
    box.token = await box.appliance.token()
    return box
  }

  files(): string[] {
    try {
      return readdirSync(join(this.directory, 'data', 'documents')).sort()
    } catch {
      return []
    }
  }

  async messages(): Promise<unknown[]> {
    const { items } = (await this.appliance.call('GET', '/api/v1/messages')).body
    return Array.isArray(items) ? items : []
  }

  async stop(): Promise<void> {
    await this.appliance.kill('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** What each way in says: the code where it names one, and words for people. */
const ways: Readonly<Record<string, (box: Box, bytes: Uint8Array) => Promise<string>>> = {
  async HTTP({ appliance, token }, bytes) {
    const form = new FormData()
    form.append('to', '+4930123456')
    form.append('document', new Blob([Uint8Array.from(bytes)]), 'file.bin')
    const answer = await fetch(`${appliance.address}/api/v1/messages`, {
      method: 'POST',
      body: form,
      headers: { authorization: `Bearer ${token}` },
    })
    return `${answer.status} ${await answer.text()}`
  },
  async mail({ appliance }, bytes) {
    const port = Number(/smtp:\/\/127\.0\.0\.1:([0-9]+)/.exec(appliance.log())?.[1])
    const transport = createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false } })
    try {
      return (
        await transport.sendMail({
          from: 'scanner@fax.test',
          to: 'fax+4930123456@fax.test',
          attachments: [{ filename: 'file.bin', content: Buffer.from(bytes) }],
        })
      ).response
    } catch (error) {
      return error instanceof Error && 'response' in error ? String(error.response) : String(error)
    } finally {
      transport.close()
    }
  },
  async 'the command line'({ appliance, token, directory }, bytes) {
    const file = join(directory, 'file.bin')
    writeFileSync(file, bytes)
    const words = ['send', '--fax', file, '-i', '+4930123456', '--host', appliance.address, '--token', token]
    const { code, stdout, stderr } = await twinline([...words, '--json'])
    return `exit ${code} ${stdout}${stderr}`
  },
}

const refusals: readonly [what: string, bytes: () => Uint8Array, code: string, words: RegExp][] = [
  ['a PDF of 500 pages', () => pagesPdf(500), 'document-too-many-pages', /500 pages; at most 200/],
  [
    'an encrypted PDF',
    () => pdfOf('showpage', '-sOwnerPassword=o', '-sUserPassword=u'),
    'document-encrypted',
    /password/,
  ],
  ['a PDF of a million pages', () => millionPages(), 'document-too-many-pages', /1000000 pages|more than/],
  ['a TIFF that lies about its size', () => tiffThatSays(1728, 20_000, 1), 'document-broken', /20000 rows/],
  ['an empty file', () => new Uint8Array(), 'document-empty', /empty/],
]

describeWith(['ghostscript'], 'a document that cannot be faxed', () => {
  let box: Box
  beforeAll(async () => {
    box = await Box.start(line)
  })
  afterAll(() => box.stop())

  for (const [way, hand] of Object.entries(ways)) {
    test.each(refusals)(`%s, by ${way}: refused with its reason`, async (_, bytes, code, words) => {
      const said = await hand(box, bytes())
      expect(said).toMatch(/^(4\d\d|5\d\d|exit 1) /)
      expect(said).toContain(code)
      expect(said).toMatch(words)
      expect(await box.messages()).toEqual([])
      expect(box.files()).toEqual([])
    })
  }
})

describe('without a fax line', () => {
  let box: Box
  beforeAll(async () => {
    box = await Box.start('')
  })
  afterAll(() => box.stop())

  test.each(Object.entries(ways))('a document is refused by %s, naming that', async (_, hand) => {
    const said = await hand(box, Buffer.from('words'))
    expect(said).toMatch(/^(400|550|exit 1) /)
    expect(said).toMatch(/no-line/)
    expect(said).toMatch(/no fax line is configured on this appliance/)
    expect(box.files()).toEqual([])
  })
})

describe('an upload that does not come to its end', () => {
  let box: Box | undefined
  let socket: Socket | undefined
  afterEach(async () => {
    socket?.destroy()
    await box?.stop()
    box = undefined
  })

  /** Half a document, and no more of it. */
  async function half({ appliance, token }: Box): Promise<Socket> {
    const { hostname, port } = new URL(appliance.address)
    const half = connect(Number(port), hostname)
    half.on('error', () => {})
    half.write(
      `POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 900000\r\n` +
        'Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n' +
        `Content-Disposition: form-data; name="document"; filename="a"\r\n\r\n${'a'.repeat(400_000)}`,
    )
    return half
  }

  test('because the program is killed: nothing is left after the next start', async () => {
    box = await Box.start(line)
    socket = await half(box)
    const { directory } = box
    const sizes = () =>
      box?.files().map((name) => readFileSync(join(directory, 'data', 'documents', name)).length)
    await until(() => (sizes()?.[0] ?? 0) > 300_000, 'half of it is on the disk')
    await box.appliance.kill('SIGKILL')
    expect(box.files()).toHaveLength(1)
    box.appliance = await startAppliance({ directory, ports: [], more: line + smtp })
    expect(box.files()).toEqual([])
    expect(await box.messages()).toEqual([])
  })

  test('because no room is left: refused by each way in, and nothing is kept', async () => {
    box = await Box.start(line)
    // More than the disks of those who run this have.
    const { status } = await box.appliance.call('PATCH', '/api/v1/config', { reserve: '1000GB' })
    expect(status).toBe(200)
    for (const [way, hand] of Object.entries(ways)) {
      const said = await hand(box, Buffer.from('words'))
      expect([way, said]).toEqual([way, expect.stringMatching(/^(507|452|exit 3) /)])
      expect(said).toMatch(/disk-full/)
      expect(box.files()).toEqual([])
    }
  })
})
