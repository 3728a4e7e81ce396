/** twinline send --fax against a real appliance whose fax modem is away: what is accepted stays in the queue. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningAppliance, startAppliance } from '../system/appliance.ts'
import { twinline } from './program.ts'

let directory: string
let appliance: RunningAppliance
let connection: string[]
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'send-fax-'))
  appliance = await startAppliance({
    directory: join(directory, 'box'),
    ports: [],
    more: '  - { id: fax0, kind: fax, port: "tcp://127.0.0.1:1", class: "1" }\n',
  })
  connection = ['--host', appliance.address, '--token', await appliance.token()]
  writeFileSync(join(directory, 'a "note".txt'), 'what is faxed')
  writeFileSync(join(directory, 'empty.pdf'), '')
})
afterAll(async () => {
  await appliance.kill('SIGTERM')
  rmSync(directory, { recursive: true, force: true })
})

const fax = (file: string, ...words: string[]) =>
  twinline(['send', '--fax', join(directory, file), '-i', '+4930123456', ...words, ...connection])

test('a file becomes a fax with its fields; the same key sends it once', async () => {
  const words = ['-i', '+4930123457', '--tag', 'note', '--priority', '1', '-m', 'a word', '--key', 'k1']
  const ran = await fax('a "note".txt', ...words)
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  const id = ran.stdout.trim()
  expect((await appliance.call('GET', `/api/v1/messages/${id}`)).body).toMatchObject({
    text: 'a word',
    tag: 'note',
    priority: 1,
    document: { type: 'text', pages: 1, name: expect.stringContaining('note') },
    deliveries: [
      { to: '+4930123456', channel: 'fax', parts: 1 },
      { to: '+4930123457', channel: 'fax', parts: 1 },
    ],
  })
  expect((await fax('a "note".txt', ...words)).stdout.trim()).toBe(id)
})

test('a refused document is exit 1 with its reason, a wrong command line exit 2', async () => {
  expect(await fax('empty.pdf')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The document is empty'),
  })
  const missing = await fax('none.pdf')
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/none\.pdf cannot be read: it is not there/),
  })
  // What is wrong, and not the whole help after it.
  expect(missing.stderr.trim().split('\n')).toHaveLength(1)
  expect(await fax('a "note".txt', '--flash')).toMatchObject({ code: 2 })
  expect(await fax('a "note".txt', '--channel', 'sms')).toMatchObject({ code: 2 })
})
