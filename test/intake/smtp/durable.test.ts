/** 250 means that it is on disk: the appliance is killed at the moment of the answer, and has every mail afterwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { startAppliance } from '../../system/appliance.ts'
import { Client } from './rig.ts'

const directory = mkdtempSync(join(tmpdir(), 'mail-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const start = () =>
  startAppliance({
    directory,
    // Nobody answers there: what is accepted stays queued.
    ports: ['tcp://127.0.0.1:9'],
    more: "validity: 7d\nintake: { smtp: { listen: '127.0.0.1:0', auth: off, allow: [127.0.0.1] } }\n",
  })

it('keeps what it answered, and knows it again', async () => {
  const first = await start()
  const told: string[] = []
  let again: string
  try {
    const port = Number(/smtp:\/\/127\.0\.0\.1:([0-9]+)/.exec(first.log())?.[1])
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
  const second = await start()
  try {
    const { body } = await second.call('GET', '/api/v1/messages?limit=100')
    const items = Array.isArray(body['items']) ? body['items'] : []
    expect(new Set(items.map(({ id }) => id))).toEqual(new Set(told))
    const client = await Client.open(Number(/smtp:\/\/127\.0\.0\.1:([0-9]+)/.exec(second.log())?.[1]))
    again = await client.mail(['+491701234567@x'], 'Message-ID: <4.9@x>\r\nSubject: 4.9\r\n\r\n')
    client.close()
  } finally {
    await second.kill('SIGTERM')
  }
  expect(told).toContain(/queued as (\S+)/.exec(again)?.[1])
}, 60_000)
