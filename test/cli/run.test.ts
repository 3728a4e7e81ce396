/** The whole appliance as a process of its own: what a newcomer types, and how it starts, stops and refuses to start. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../requirements.ts'
import { type Running, start, twinline } from './program.ts'

const scratch = () => mkdtempSync(join(tmpdir(), 'twinline-'))

function running(words: readonly string[], options: Parameters<typeof start>[1] = {}): Running {
  const program = start(words, options)
  onTestFinished(() => {
    program.child.kill('SIGKILL')
  })
  return program
}

interface Box {
  program: Running
  file: string
  data: string
  addresses: string[]
}

/** Starts an appliance with one fast simulated modem, and waits until it accepts messages. */
async function box(directory: string, text: string): Promise<Box> {
  const file = join(directory, 'twinline.yaml')
  writeFileSync(file, `data: data\nlines: [{ id: gsm0, kind: gsm, port: "sim://gsm" }]\n${text}`)
  const program = running(['run', '--config', file])
  const out = await program.printed('"msg":"started"')
  const started = JSON.parse(out.split('\n').find((line) => line.includes('"msg":"started"')) ?? '{}')
  return { program, file, data: join(directory, 'data'), addresses: started.addresses }
}

describeWith(['curl'], 'a trial', () => {
  test('prints commands that work as they are; Ctrl-C, seen twice as under npm, ends it with exit 0', async () => {
    const directory = scratch()
    const program = running(['run'], { directory })
    const out = await program.printed('Ctrl-C')
    const [send = '', show = ''] = out.split('\n').filter((line) => line.startsWith('curl '))
    const shell = promisify(execFile)
    const sent = JSON.parse((await shell('bash', ['-c', send])).stdout)
    expect(sent.deliveries).toMatchObject([{ state: 'queued', parts: 1 }])
    await expect
      .poll(async () => JSON.parse((await shell('sh', ['-c', show])).stdout), {
        timeout: 20_000,
        interval: 200,
      })
      .toMatchObject({ id: sent.id, deliveries: [{ state: 'delivered' }] })
    program.child.kill('SIGINT')
    program.child.kill('SIGINT')
    const { code, stderr } = await program.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(existsSync(join(directory, '.twinline'))).toBe(true)
  })
})

test('the token of a trial that was is worth nothing in the next', async () => {
  const directory = scratch()
  const tokens: string[] = []
  for (let round = 0; round < 2; round += 1) {
    const program = running(['run'], { directory })
    tokens.push(/Token +(\S+)/.exec(await program.printed('Ctrl-C'))?.[1] ?? '')
    if (round === 1) {
      const url = /API +(\S+)/.exec(program.output().stdout)?.[1]
      const [old, current] = await Promise.all(
        tokens.map(async (token) => {
          const answer = await fetch(`${url}/messages`, { headers: { authorization: `Bearer ${token}` } })
          return answer.status
        }),
      )
      expect([old, current]).toEqual([401, 200])
    }
    program.child.kill('SIGTERM')
    expect((await program.ended).code).toBe(0)
  }
})

test('with a configuration: commands reach it, logs are JSON without text, token or PIN, SIGTERM ends it', async () => {
  const { program, file, addresses } = await box(
    scratch(),
    'http: { listen: "127.0.0.1:0" }\nlog: { level: debug }\n',
  )
  const made = await twinline(['token', 'create', '--config', file])
  expect(made.code).toBe(0)
  const token = made.stdout.trim()
  const words = [
    'send',
    '-i',
    '+4915112345678',
    '-m',
    'a confidential text',
    '--host',
    addresses[0] ?? '',
    '--wait',
  ]
  const sent = await twinline(words, { environment: { TWINLINE_TOKEN: token } })
  expect(sent).toMatchObject({ code: 0, stderr: '' })
  expect(sent.stdout).toContain('accepted by the network on gsm0')
  const status = await twinline(['status', '--config', file])
  expect(status.stdout).toMatch(/active {2}ready/)
  expect(status.stdout).toMatch(/gsm0 +ready/)
  const totals = await twinline(['totals', '--config', file])
  expect(totals.stdout).toMatch(/gsm0 +1 +/)

  program.child.kill('SIGTERM')
  const { code, stdout, stderr } = await program.ended
  expect(code).toBe(0)
  // What a person needs who opens its panel is on the console, whatever is logged.
  const setup =
    /^twinline: no user exists yet: open http:\/\/127.* and enter the setup code [A-Z2-9]{4}-[A-Z2-9]{4}\n$/
  expect(stderr).toMatch(setup)
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'stopped' })
  expect(stdout).not.toContain('confidential')
  expect(stdout).not.toContain(token)
})

test('with TLS: its own certificate is refused until --ca names it', async () => {
  const { data, file, addresses, program } = await box(scratch(), 'https: { listen: "127.0.0.1:0" }\n')
  const token = (await twinline(['token', 'create', '--config', file])).stdout.trim()
  const url = addresses[0] ?? ''
  expect(url).toMatch(/^https:/)
  const words = ['send', '-i', '112', '-m', 'x', '--token', token, '--host', url]
  const refused = await twinline(words)
  expect(refused.code).toBe(3)
  expect(refused.stderr).toContain('its certificate is not one we trust (--ca FILE names the one to trust)')
  const certificate = join(data, 'https-certificate.pem')
  expect((await twinline([...words, '--ca', certificate])).code).toBe(0)
  expect((await twinline([...words, '--insecure'])).code).toBe(0)
  // A name or an address alone means TLS.
  expect((await twinline([...words.slice(0, -1), url.replace('https://', ''), '--insecure'])).code).toBe(0)
  program.child.kill('SIGTERM')
  expect((await program.ended).code).toBe(0)
})

test('a start that cannot be: one sentence and what to do, no stack', async () => {
  const { data, addresses } = await box(scratch(), 'http: { listen: "127.0.0.1:0" }\n')
  const other = join(scratch(), 'other.yaml')

  writeFileSync(other, `data: ${data}\n`)
  const inUse = await twinline(['run', '--config', other])
  expect(inUse.code).toBe(1)
  expect(inUse.stderr).toMatch(
    /^twinline: cannot start: .*Another twinline runs with this data directory.*\n$/,
  )

  writeFileSync(other, `data: data\nhttp: { listen: "${addresses[0]?.replace('http://', '')}" }\n`)
  const busy = await twinline(['run', '--config', other])
  expect(busy.code).toBe(1)
  expect(busy.stderr).toMatch(
    /^twinline: cannot start: .*already in use by another program\. Stop the other.*\n$/,
  )

  writeFileSync(other, 'data: other.yaml/data\n')
  const unusable = await twinline(['run', '--config', other])
  expect(unusable.code).toBe(1)
  expect(unusable.stderr).toMatch(/^twinline: cannot start: .*\n$/)

  writeFileSync(other, 'dta: x\n')
  const wrong = await twinline(['run', '--config', other])
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toContain('did you mean data?')
})

test('a killed appliance starts again on what it left, its socket included', async () => {
  const directory = scratch()
  const first = await box(directory, '')
  first.program.child.kill('SIGKILL')
  await first.program.ended
  const down = await twinline(['status', '--config', first.file])
  expect(down.code).toBe(3)
  const second = await box(directory, '')
  expect((await twinline(['status', '--config', second.file])).code).toBe(0)
})
