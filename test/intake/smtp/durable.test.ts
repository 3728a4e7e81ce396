/**
 * 250 means that it is on disk: the appliance is killed at the moment of the answer, and has every mail afterwards. And
 * what its disk, or the lack of a second one, makes of a mail.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { startAppliance } from '../../system/appliance.ts'
import { Client } from './rig.ts'

const directory = mkdtempSync(join(tmpdir(), 'mail-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const start = (name: string, more = '') =>
  startAppliance({
    directory: join(directory, name),
    // Nobody answers there: what is accepted stays queued.
    ports: ['tcp://127.0.0.1:9'],
    more: `validity: 7d\nintake: { smtp: { listen: '127.0.0.1:0', auth: off, allow: [127.0.0.1] } }\n${more}`,
  })

const portOf = ({ log }: { log(): string }) => Number(/smtp:\/\/127\.0\.0\.1:([0-9]+)/.exec(log())?.[1])

it('keeps what it answered, and knows it again', async () => {
  const first = await start('killed')
  const told: string[] = []
  let again: string
  try {
    const port = portOf(first)
    await Promise.all(
      Array.from({ length: 5 }, async (_, sender) => {
        const client = await Client.open(port)
        for (let n = 0; n < 10; n += 1) {
          const answer = await client.mail(
            ['+491701234567@x'],
            `Message-ID: <${sender}.${n}@x>\r\nSubject: ${sender}.${n}\r\n\r\n`,
          )
          told.push(/queued as (\S+)/.exec(answer)?.[1] ?? answer)
        }
      }),
    )
  } finally {
    await first.kill('SIGKILL')
  }
  const second = await start('killed')
  try {
    const { body } = await second.call('GET', '/api/v1/messages?limit=100')
    const items = Array.isArray(body['items']) ? body['items'] : []
    expect(new Set(items.map(({ id }) => id))).toEqual(new Set(told))
    const client = await Client.open(portOf(second))
    again = await client.mail(['+491701234567@x'], 'Message-ID: <4.9@x>\r\nSubject: 4.9\r\n\r\n')
    client.close()
  } finally {
    await second.kill('SIGTERM')
  }
  expect(told).toContain(/queued as (\S+)/.exec(again)?.[1])
}, 60_000)

const alert = 'Message-ID: <1@x>\r\nSubject: Pump 3\r\n\r\nhas stopped'

it('is put off while the disk has no room, and taken when it has', async () => {
  // No disk of a test machine has so much.
  const appliance = await start('full', 'reserve: 1000GB\n')
  const client = await Client.open(portOf(appliance))
  try {
    expect(await client.mail(['+491701234567@x'], alert)).toMatch(/^452 disk-full/)
    const { status } = await appliance.call('PATCH', '/api/v1/config', { reserve: '1MB' })
    expect(status).toBe(200)
    expect(await client.mail(['+491701234567@x'], alert)).toMatch(/^250/)
  } finally {
    client.close()
    await appliance.kill('SIGTERM')
  }
}, 60_000)

it('is put off in a pair that accepts nothing on one disk', async () => {
  const appliance = await start(
    'alone',
    'pair: { listen: 127.0.0.1:0, aloneAfter: 1s, accept: { oneDisk: refuse }, vip: { driver: none } }\n',
  )
  const client = await Client.open(portOf(appliance))
  try {
    expect(await client.mail(['+491701234567@x'], alert)).toMatch(/^451 one-disk/)
    const { body } = await appliance.call('GET', '/api/v1/messages')
    expect(body['items']).toEqual([])
  } finally {
    client.close()
    await appliance.kill('SIGTERM')
  }
}, 60_000)
