/** Client and witness over real UDP; a witness that is really killed; one that answers with another key. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { monotonic } from '../../../src/core/clock.ts'
import { silent } from '../../../src/core/log.ts'
import {
  createWitnessClient,
  type WitnessAnswer,
  type WitnessClient,
} from '../../../src/pair/witness/client.ts'
import { startWitness, type Witness } from '../../../src/pair/witness/server.ts'
import { start } from '../../cli/program.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'tw-witness-'))
  stops.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const pairingKey = { id: 'pair-1', key: 'a pairing key of 256 bits' }
const GRANT_MS = 600
const term = (counter: number, node = 'a') => ({ counter, node })

async function witnessAt(file: string, port = 0): Promise<Witness> {
  const witness = await startWitness({
    listen: { host: '127.0.0.1', port },
    file,
    now: monotonic,
    log: silent,
  })
  stops.push(() => witness.stop().catch(() => {}))
  return witness
}

interface Member extends WitnessClient {
  events: string[]
  directory: string
}

function member(
  port: number,
  node: string,
  from: Partial<{ directory: string; key: typeof pairingKey }> = {},
): Member {
  const events: string[] = []
  const where = from.directory ?? directory()
  const client = createWitnessClient({
    address: { host: '127.0.0.1', port },
    pairingKey: from.key ?? pairingKey,
    node,
    directory: where,
    now: monotonic,
    onEvent: (what) => events.push(what),
  })
  stops.push(() => client.close())
  return { ...client, events, directory: where }
}

/** Asks until the answer is what is waited for. */
async function until(
  ask: () => Promise<WitnessAnswer>,
  wanted: (answer: WitnessAnswer) => boolean,
): Promise<WitnessAnswer> {
  const end = monotonic() + 10_000
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    if (monotonic() > end) throw new Error(`only ever ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
const granted = ({ result }: WitnessAnswer) => result === 'granted'

/** Passes datagrams on to the witness and keeps those that went there. */
async function relay(
  port: number,
): Promise<{ port: number; captured: Buffer[]; send: (bytes: Buffer) => void }> {
  const front = createSocket('udp4')
  const back = createSocket('udp4')
  const captured: Buffer[] = []
  let clientPort = 0
  front.on('message', (bytes, { port: from }) => {
    clientPort = from
    captured.push(bytes)
    back.send(bytes, port, '127.0.0.1')
  })
  back.on('message', (bytes) => front.send(bytes, clientPort, '127.0.0.1'))
  for (const socket of [front, back]) {
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    stops.push(() => socket.close())
  }
  return { port: front.address().port, captured, send: (bytes) => back.send(bytes, port, '127.0.0.1') }
}

describe('a pair and its witness', () => {
  it('meets it, gets the grant, keeps it, and lets it go', async () => {
    const witness = await witnessAt(join(directory(), 'witness.json'))
    const a = member(witness.listening.port, 'a')
    const b = member(witness.listening.port, 'b')

    const first = await a.ask(term(1), GRANT_MS)
    expect(first).toMatchObject({ result: 'refused', reason: 'witness-starting' })
    const got = await until(() => a.ask(term(1), GRANT_MS), granted)
    expect(got.roundTripMs).toBeLessThan(400)
    expect(got.sentAt).toBeLessThanOrEqual(monotonic())

    expect(await b.ask(term(2, 'b'), GRANT_MS)).toMatchObject({ result: 'refused', holder: 'a' })
    expect(await a.renew(term(1), GRANT_MS)).toMatchObject({ result: 'granted' })
    // A look changes nothing, whoever looks.
    expect(await b.look()).toMatchObject({ result: 'granted' })
    expect(await b.ask(term(2, 'b'), GRANT_MS)).toMatchObject({ result: 'refused', holder: 'a' })
    await until(() => a.release(term(1)), granted)
    await until(() => b.ask(term(2, 'b'), GRANT_MS), granted)
    expect(await a.renew(term(1), GRANT_MS)).toMatchObject({
      result: 'refused',
      reason: 'witness-lower-term',
    })
    expect([a.events, b.events]).toEqual([['witness-met'], ['witness-met']])
    expect(readFileSync(pinOf(a), 'utf8')).toContain(witness.publicKey)
    expect(statSync(pinOf(a)).mode & 0o777).toBe(0o600)
  })

  it('holds when its pair and another one speak to one witness', async () => {
    const witness = await witnessAt(join(directory(), 'witness.json'))
    const a = member(witness.listening.port, 'a')
    const x = member(witness.listening.port, 'x', { key: { id: 'pair-2', key: 'another key' } })
    await until(() => a.ask(term(1), GRANT_MS), granted)
    await until(() => x.ask(term(1, 'x'), GRANT_MS), granted)
    expect(await a.renew(term(1), GRANT_MS)).toMatchObject({ result: 'granted' })
  })

  it('refuses somebody who knows the id of the pair but not its key', async () => {
    const witness = await witnessAt(join(directory(), 'witness.json'))
    const a = member(witness.listening.port, 'a')
    await until(() => a.ask(term(1), GRANT_MS), granted)
    const thief = member(witness.listening.port, 'b', { key: { id: 'pair-1', key: 'guessed' } })
    expect(await thief.ask(term(9, 'b'), GRANT_MS)).toMatchObject({
      result: 'refused',
      reason: 'witness-pair-taken',
    })
    expect(thief.events).toEqual(['witness-pair-taken'])
  })

  it('grants at once when a member says that the holder gave its term up', async () => {
    const witness = await witnessAt(join(directory(), 'witness.json'))
    const a = member(witness.listening.port, 'a')
    const b = member(witness.listening.port, 'b')
    await until(() => a.ask(term(1), 2_000), granted)
    const refused = await b.ask(term(2, 'b'), GRANT_MS)
    expect(refused).toMatchObject({ result: 'refused', holder: 'a', highest: term(1) })
    expect(refused.leftMs).toBeGreaterThan(100)
    expect(await b.ask(term(2, 'b'), GRANT_MS, term(1))).toMatchObject({ result: 'granted' })
  })

  it('never extends a grant for a captured request that is sent again, even after a restart of the witness', async () => {
    const file = join(directory(), 'witness.json')
    const witness = await witnessAt(file)
    const wire = await relay(witness.listening.port)
    const a = member(wire.port, 'a')
    const b = member(witness.listening.port, 'b')
    await until(() => a.ask(term(1), GRANT_MS), granted)
    await a.renew(term(1), GRANT_MS)
    const captured = [...wire.captured]
    // Without their effect b gets its grant when a's lapses; with it, never.
    const replay = setInterval(() => captured.forEach(wire.send), 50)
    stops.push(() => clearInterval(replay))
    await until(() => b.ask(term(2, 'b'), GRANT_MS), granted)

    await witness.stop()
    await witnessAt(file, witness.listening.port)
    await until(() => b.ask(term(2, 'b'), GRANT_MS), granted)
  })

  it('goes on after its own restart without being taken for a replay', async () => {
    const witness = await witnessAt(join(directory(), 'witness.json'))
    const before = member(witness.listening.port, 'a')
    await until(() => before.ask(term(1), GRANT_MS), granted)
    before.close()
    const after = member(witness.listening.port, 'a', { directory: before.directory })
    expect(await after.renew(term(1), GRANT_MS)).toMatchObject({ result: 'granted' })
    expect(after.events).toEqual([])
  })

  it('says in time that nobody answers', async () => {
    const witness = await witnessAt(join(directory(), 'witness.json'))
    const a = member(witness.listening.port, 'a')
    await until(() => a.ask(term(1), GRANT_MS), granted)
    await witness.stop()
    const answer = await a.renew(term(1), GRANT_MS)
    expect(answer.result).toBe('silent')
    expect(answer.roundTripMs).toBeGreaterThan(140)
  })

  it('refuses a witness with another key, says so once, and stays with the one that it met', async () => {
    const kept = join(directory(), 'witness.json')
    const witness = await witnessAt(kept)
    const { port } = witness.listening
    const a = member(port, 'a')
    await until(() => a.ask(term(1), GRANT_MS), granted)
    await witness.stop()
    const impostor = await witnessAt(join(directory(), 'other.json'), port)
    expect(await a.renew(term(1), GRANT_MS)).toMatchObject({
      result: 'refused',
      reason: 'witness-key-changed',
    })
    await a.renew(term(1), GRANT_MS)
    expect(a.events).toEqual(['witness-met', 'witness-key-changed'])
    await impostor.stop()
    await witnessAt(kept, port)
    await until(() => a.renew(term(1), GRANT_MS), granted)
  })

  it('keeps quiet on rubbish, and gives strangers no more bytes than they sent', async () => {
    const witness = await witnessAt(join(directory(), 'witness.json'))
    const stranger: Socket = createSocket('udp4')
    stops.push(() => stranger.close())
    let answered = 0
    stranger.on('message', () => {
      answered += 1
    })
    for (const text of [
      '',
      'x',
      '{"v":1,"kind":"hello","nonce":"n"}\n',
      '{"v":1,"nonce":"n","pair":"p"}\n',
    ]) {
      stranger.send(text, witness.listening.port, '127.0.0.1')
    }
    // The witness answers in order, so an answer to a later client means that these have been read.
    const a = member(witness.listening.port, 'a')
    await until(() => a.ask(term(1), GRANT_MS), granted)
    expect(answered).toBe(0)
  })
})

describe('twinline witness', () => {
  it('starts again after kill -9 with its keys and pairs, and refuses everybody for one grant time', async () => {
    const state = join(directory(), 'deep', 'witness.json')
    const first = start(['witness', '--listen', '127.0.0.1:0', '--state', state])
    stops.push(() => first.child.kill('SIGKILL'))
    const port = portOf(await first.printed('the witness answers'))
    const a = member(port, 'a')
    const b = member(port, 'b')
    await until(() => a.ask(term(1), 1_500), granted)
    expect(statSync(state).mode & 0o777).toBe(0o600)
    first.child.kill('SIGKILL')
    await first.ended

    const again = start(['witness', '--listen', `127.0.0.1:${port}`, '--state', state])
    stops.push(() => again.child.kill('SIGKILL'))
    await again.printed('the witness answers')
    // b's own grant time is shorter than what a was promised before the kill.
    expect(await b.ask(term(2, 'b'), GRANT_MS)).toMatchObject({
      result: 'refused',
      reason: 'witness-starting',
    })
    await until(() => a.renew(term(1), 1_500), granted)
    expect(await b.ask(term(2, 'b'), GRANT_MS)).toMatchObject({ result: 'refused', holder: 'a' })
    expect(a.events).toEqual(['witness-met'])

    again.child.kill('SIGTERM')
    expect((await again.ended).code).toBe(0)
  })
})

function pinOf({ directory: path }: Member): string {
  const name = readdirSync(path).find((each) => each.startsWith('witness-'))
  return join(path, name ?? 'none')
}

function portOf(output: string): number {
  return Number(/"port":([0-9]+)/.exec(output)?.[1])
}
