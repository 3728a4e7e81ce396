/** Pairing over real TLS: what is exchanged, that it holds on both sides, and each refusal with its reason. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { readCode, writeCode } from '#pair/ceremony/code.ts'
import { invitationId, proofOf } from '#pair/ceremony/proof.ts'
import { type Box, box, nodes } from './two-boxes.ts'

const keyOf = (one: Box) => readFile(join(one.directory, 'pairing-key'), 'utf8')

/** A connection to a box's log listener, as the owner of that certificate. */
async function knock(at: Box, as: Box | undefined): Promise<TLSSocket> {
  const [host, port] = at.address.split(':')
  const socket = connect({
    host: host ?? '',
    port: Number(port),
    ...(as === undefined ? {} : { cert: as.identity.certificate, key: as.identity.key }),
    rejectUnauthorized: false,
    ALPNProtocols: ['twinline-join/1'],
  })
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  return socket
}

/** Everything that comes back until the connection ends. */
async function answers(socket: TLSSocket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (part: string) => {
    text += part
  })
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

async function secretOf(one: Box): Promise<Buffer> {
  const read = readCode((await one.ceremony.invite('test')).code)
  if (read.result === 'mistyped') throw new Error(read.text)
  return read.code.secret
}

test('two boxes pair: each pins the other, both have the key, both say so in the audit log', async () => {
  const a = await box('box-a')
  const b = await box('box-b')
  const { code, expires } = await a.ceremony.invite('http:admin')
  expect(expires).toBe(1_000_000 + 600_000)
  const joined = await b.ceremony.join(code, 'local')

  expect(joined).toMatchObject({ result: 'joined', inviter: { node: 'box-a' } })
  expect(a.membership.others()).toEqual([b.membership.own])
  expect(b.membership.others()).toEqual([a.membership.own])
  expect(nodes(await a.store.members())).toEqual(['box-a', 'box-b'])
  expect(nodes(await b.store.members())).toEqual(['box-a', 'box-b'])
  expect(await keyOf(a)).toBe(await keyOf(b))
  expect((await stat(join(b.directory, 'pairing-key'))).mode & 0o777).toBe(0o600)
  expect(b.keys.at(-1)).toEqual(a.keys.at(-1))
  expect(await b.ceremony.pairingKey()).toEqual(a.keys[0])
  expect(await a.until('pair-admitted')).toContain('box-b')
  expect(await a.until('pair-admitted')).toContain(b.identity.fingerprint)
  expect(a.audited[0]).toMatchObject({ who: 'http:admin', what: 'pair-invited' })
  expect(await b.until('pair-joined')).toContain('box-a')
})

test('whoever has proved a code is no stranger while it is let in, and whoever has not is one', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  const own = await a.ceremony.invite('x')
  await b.ceremony.join((await b.ceremony.invite('x')).code, 'x')
  expect(a.ceremony.welcomes('127.0.0.1')).toBe(false)
  await b.ceremony.join(own.code, 'x')
  expect(a.ceremony.welcomes('127.0.0.1')).toBe(true)
  expect(a.ceremony.welcomes('127.0.0.2')).toBe(false)
  expect(b.ceremony.welcomes('127.0.0.1')).toBe(false)
  a.pass(15_000)
  expect(a.ceremony.welcomes('127.0.0.1')).toBe(false)
})

test('a third member gets every other one, and those that run learn of it from the log', async () => {
  const [a, b, c] = [await box('box-a'), await box('box-b'), await box('box-c')]
  await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')
  const told: string[][] = []
  b.membership.onChange(({ others }) => told.push(nodes(others)))
  // Any member may invite.
  expect(await c.ceremony.join((await b.ceremony.invite('x')).code, 'x')).toMatchObject({ result: 'joined' })
  expect(nodes(c.membership.others())).toEqual(['box-a', 'box-b'])
  expect(nodes(b.membership.others())).toEqual(['box-a', 'box-c'])
  expect(told).toEqual([['box-a', 'box-c']])
  await a.store.operate({ op: 'member', member: c.membership.own })
  await a.membership.reload()
  expect(nodes(a.membership.others())).toEqual(['box-b', 'box-c'])
  expect(await keyOf(c)).toBe(await keyOf(a))
})

test('a code works once', async () => {
  const [a, b, c] = [await box('box-a'), await box('box-b'), await box('box-c')]
  const { code } = await a.ceremony.invite('x')
  await b.ceremony.join(code, 'x')
  expect(await c.ceremony.join(code, 'x')).toMatchObject({ result: 'refused', code: 'pair-code-used' })
  expect(await a.until('pair-code-used')).toContain(c.identity.fingerprint)
  expect(c.audited.at(-1)?.what).toBe('pair-code-used')
  expect(c.membership.standing()).toBe('single')
})

test('a code ends after ten minutes', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  const { code } = await a.ceremony.invite('x')
  a.pass(10 * 60_000)
  expect(await b.ceremony.join(code, 'x')).toMatchObject({ result: 'refused', code: 'pair-code-expired' })
  await a.until('pair-code-expired')
})

test('a code of an appliance that was restarted is not known any more', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  const { code } = await a.ceremony.invite('x')
  a.ceremony.close()
  expect(await b.ceremony.join(code, 'x')).toMatchObject({ code: 'pair-code-unknown' })
})

test('another appliance at the address is told nothing', async () => {
  const heard: string[] = []
  const impostor = await box('box-x', {
    receive: (socket) => socket.on('data', (data) => heard.push(`${data}`)),
  })
  const [a, b] = [await box('box-a'), await box('box-b')]
  const read = readCode((await a.ceremony.invite('x')).code)
  if (read.result === 'mistyped') throw new Error(read.text)
  const forged = writeCode({ ...read.code, addresses: [impostor.address] })
  expect(await b.ceremony.join(forged, 'x')).toMatchObject({
    result: 'refused',
    code: 'pair-fingerprint-wrong',
  })
  expect(heard).toEqual([])
  expect(b.audited.at(-1)).toMatchObject({ what: 'pair-fingerprint-wrong' })
  // Where the right one answers at a further address, it is found.
  const both = writeCode({ ...read.code, addresses: [impostor.address, a.address] })
  expect(await b.ceremony.join(both, 'x')).toMatchObject({ result: 'joined' })
})

test('an address where nobody listens is passed over, and named when it is the last', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  const read = readCode((await a.ceremony.invite('x')).code)
  if (read.result === 'mistyped') throw new Error(read.text)
  const nowhere = writeCode({ ...read.code, addresses: ['127.0.0.1:1'] })
  expect(await b.ceremony.join(nowhere, 'x')).toMatchObject({
    code: 'pair-unreachable',
    text: expect.stringContaining('127.0.0.1:1'),
  })
  const second = writeCode({ ...read.code, addresses: ['127.0.0.1:1', a.address] })
  expect(await b.ceremony.join(second, 'x')).toMatchObject({ result: 'joined' })
})

test('a wrong secret is refused and ends the code at the third', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  const { code } = await a.ceremony.invite('x')
  const read = readCode(code)
  if (read.result === 'mistyped') throw new Error(read.text)
  const guess = {
    step: 'prove',
    versions: { min: 1, current: 1 },
    invitation: invitationId(read.code.secret),
    proof: 'f'.repeat(64),
    member: b.membership.own,
  }
  for (let n = 0; n < 3; n += 1) {
    const socket = await knock(a, b)
    socket.write(`${JSON.stringify(guess)}\n`)
    const said = await answers(socket)
    expect(said).toContain('pair-secret-wrong')
    expect(said).not.toMatch(/admit|pairingKey/)
  }
  await a.until('pair-secret-wrong')
  expect(await b.ceremony.join(code, 'x')).toMatchObject({ code: 'pair-code-exhausted' })
})

test('a proof is worth nothing in another session, and from another certificate', async () => {
  const [a, b, thief] = [await box('box-a'), await box('box-b'), await box('box-x')]
  const secret = await secretOf(a)
  const overheard = await knock(a, b)
  const session = {
    exporter: overheard.exportKeyingMaterial(32, 'EXPORTER-twinline-join', Buffer.alloc(0)),
    inviter: a.identity.fingerprint,
    joiner: b.identity.fingerprint,
  }
  const line = `${JSON.stringify({
    step: 'prove',
    versions: { min: 1, current: 1 },
    invitation: invitationId(secret),
    proof: proofOf('joiner', secret, session),
    member: b.membership.own,
  })}\n`
  for (const as of [b, thief]) {
    const replay = await knock(a, as)
    replay.write(line)
    expect(await answers(replay)).toContain('pair-secret-wrong')
  }
  overheard.write(line)
  overheard.setEncoding('utf8')
  const said = await new Promise<string>((resolve) => overheard.once('data', resolve))
  expect(said).toContain('pairingKey')
  overheard.destroy()
})

test('an inviter that does not know the secret gets no member', async () => {
  // It has the right certificate, as a thief of the disk would, and not the secret.
  const thief: Box = await box('box-x', {
    receive: (socket) =>
      socket.once('data', () =>
        socket.write(
          `${JSON.stringify({
            step: 'admit',
            proof: 'f'.repeat(64),
            pairingKey: Buffer.alloc(32).toString('base64'),
            members: [thief.membership.own],
          })}\n`,
        ),
      ),
  })
  const b = await box('box-b')
  const { code } = await thief.ceremony.invite('x')
  expect(await b.ceremony.join(code, 'x')).toMatchObject({ result: 'refused', code: 'pair-secret-wrong' })
  expect(b.membership.others()).toEqual([])
  expect(await b.ceremony.pairingKey()).toBeUndefined()
})

test('ten attempts a minute are heard, the eleventh is not, and it is in the audit log once', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  const { code } = await a.ceremony.invite('x')
  for (let n = 0; n < 10; n += 1) {
    const socket = await knock(a, b)
    socket.write('nonsense\n')
    await answers(socket)
  }
  for (let n = 0; n < 3; n += 1) {
    expect(await b.ceremony.join(code, 'x')).toMatchObject({ result: 'refused', code: 'pair-rate-limited' })
  }
  expect(a.audited.filter(({ what }) => what === 'pair-rate-limited')).toHaveLength(1)
  a.pass(60_000)
  expect(await b.ceremony.join(code, 'x')).toMatchObject({ result: 'joined' })
})

test.each([
  ['nonsense\n', 'not understood'],
  ['{"step":"stored"}\n', ''],
  ['{"step":"prove"}\n', 'not understood'],
  [`${'x'.repeat(70_000)}`, 'without an end'],
])('%.30s ends the conversation', async (words, why) => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  await a.ceremony.invite('x')
  const socket = await knock(a, b)
  socket.write(words)
  expect(await answers(socket)).not.toContain('pairingKey')
  expect(await a.until('pair-ceremony-broken')).toContain(why)
})

test('who shows no certificate is sent away', async () => {
  const a = await box('box-a')
  await a.ceremony.invite('x')
  expect(await answers(await knock(a, undefined))).toContain('pair-certificate-missing')
})

test('a name that is taken is refused, and the code stays good', async () => {
  const [a, twin, b] = [await box('box-a'), await box('box-a'), await box('box-b')]
  const { code } = await a.ceremony.invite('x')
  expect(await twin.ceremony.join(code, 'x')).toMatchObject({
    code: 'pair-node-taken',
    text: expect.stringContaining('box-a'),
  })
  expect(await b.ceremony.join(code, 'x')).toMatchObject({ result: 'joined' })
  const other = await box('box-b')
  expect(await other.ceremony.join((await a.ceremony.invite('x')).code, 'x')).toMatchObject({
    code: 'pair-node-taken',
    text: expect.stringContaining('pair remove box-b'),
  })
})

test('a box with other partners does not join', async () => {
  const [a, b, c] = [await box('box-a'), await box('box-b'), await box('box-c')]
  await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')
  expect(await b.ceremony.join((await c.ceremony.invite('x')).code, 'x')).toMatchObject({
    code: 'pair-already-joined',
    text: expect.stringContaining('box-a'),
  })
  // With its own partner it may: an answer was lost, or a disk.
  expect(await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')).toMatchObject({ result: 'joined' })
})

test('an own code and a mistyped one are refused before anything is sent', async () => {
  const a = await box('box-a')
  const { code } = await a.ceremony.invite('x')
  expect(await a.ceremony.join(code, 'x')).toMatchObject({ code: 'pair-code-own' })
  expect(await a.ceremony.join(code.slice(0, -9), 'x')).toMatchObject({ code: 'pair-code-mistyped' })
})

test('two boxes that let each other in at the same moment do not swap their keys', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  const [codeOfA, codeOfB] = [(await a.ceremony.invite('x')).code, (await b.ceremony.invite('x')).code]
  const results = await Promise.all([a.ceremony.join(codeOfB, 'x'), b.ceremony.join(codeOfA, 'x')])
  expect(results.filter(({ result }) => result === 'joined').length).toBeLessThan(2)
  expect(await a.ceremony.join(codeOfB, 'x')).toMatchObject({ result: 'joined' })
  expect(await keyOf(a)).toBe(await keyOf(b))
})

test('one box joins one at a time', async () => {
  const [a, b, c] = [await box('box-a'), await box('box-b'), await box('box-c')]
  const codes = [(await a.ceremony.invite('x')).code, (await c.ceremony.invite('x')).code]
  const results = await Promise.all(codes.map((code) => b.ceremony.join(code, 'x')))
  expect(results).toMatchObject([{ result: 'joined' }, { result: 'refused', code: 'pair-busy' }])
  expect(nodes(b.membership.others())).toEqual(['box-a'])
})
