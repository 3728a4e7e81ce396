/** Links between members over real TLS sockets on loopback: who gets in, what goes where, and what ends. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { addressText } from '../../../src/pair/links/address.ts'
import { fingerprintOf, identityFor } from '../../../src/pair/links/certificate.ts'
import type { Identity, LinkMember, Links, LinksOptions } from '../../../src/pair/links/contract.ts'
import { openLinks } from '../../../src/pair/links/links.ts'

let directory = ''
const identities: Record<string, Identity> = {}
const identity = (node: string): Identity => {
  const found = identities[node]
  if (!found) throw new Error(`no identity ${node}`)
  return found
}
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'twinline-links-'))
  for (const node of ['a', 'b', 'stranger']) identities[node] = await identityFor(join(directory, node), node)
})
afterAll(() => rm(directory, { recursive: true, force: true }))

interface Box {
  node: string
  links: Links
  heard: { from: string; topic: string; text: string; path: string }[]
  refused: string[]
  up: number
  /** How often a path was lost. */
  lost: number
  joins: TLSSocket[]
}
const boxes: Box[] = []
afterEach(async () => {
  await Promise.all(boxes.splice(0).map((box) => box.links.close()))
})

async function box(node: string, extra: Partial<LinksOptions> = {}): Promise<Box> {
  const made: Omit<Box, 'links'> = { node, heard: [], refused: [], up: 0, lost: 0, joins: [] }
  const links = await openLinks({
    node,
    identity: identity(node),
    listen: { host: '127.0.0.1', port: 0 },
    interval: 100,
    largest: 100_000,
    onMessage: (from, topic, payload, path) =>
      whole.heard.push({ from, topic, text: payload.toString(), path }),
    onPaths: (_node, paths) => {
      const up = paths.filter((path) => path.up).length
      if (up < whole.up) whole.lost += 1
      whole.up = up
    },
    onRefused: (_address, code) => whole.refused.push(code),
    onJoin: (socket) => whole.joins.push(socket),
    log: () => {},
    ...extra,
  })
  const whole: Box = Object.assign(made, { links })
  boxes.push(whole)
  return whole
}
const memberOf = ({ node, links }: Box, as = node): LinkMember => ({
  node,
  fingerprint: identity(as).fingerprint,
  addresses: [addressText(links.listening)],
})

async function pair(
  extraA: Partial<LinksOptions> = {},
  extraB: Partial<LinksOptions> = {},
): Promise<[Box, Box]> {
  const a = await box('a', extraA)
  const b = await box('b', extraB)
  a.links.setMembers([memberOf(b)])
  b.links.setMembers([memberOf(a)])
  await vi.waitFor(() => expect([a.up, b.up]).toEqual([2, 2]), 10_000)
  return [a, b]
}

const ended = (socket: { once(event: 'close', listener: () => void): unknown }): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()))

test('an identity is made once, its key is for nobody else, and its fingerprint is that of the certificate', async () => {
  const again = await identityFor(join(directory, 'a'), 'a')
  expect(again).toEqual(identity('a'))
  expect(again.fingerprint).toBe(fingerprintOf(again.certificate))
  expect(again.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  expect((await stat(join(directory, 'a', 'key.pem'))).mode & 0o777).toBe(0o600)
})

test('what one member says reaches the other: over all paths, over one, or in turn', async () => {
  const [a, b] = await pair()
  expect(a.links.send('b', 'beat', 'x', 'all')).toBe(true)
  await vi.waitFor(() => expect(b.heard.length).toBe(2))
  expect(new Set(b.heard.map(({ path }) => path)).size).toBe(2)
  expect(b.heard[0]).toMatchObject({ from: 'a', topic: 'beat', text: 'x' })

  b.heard.length = 0
  for (let i = 0; i < 100; i++) expect(b.links.send('a', 'log/entries', `${i}`, 'one')).toBe(true)
  await vi.waitFor(() => expect(a.heard.length).toBe(100))
  expect(a.heard.map(({ text }) => Number(text))).toEqual([...Array(100).keys()])
  expect(new Set(a.heard.map(({ path }) => path)).size).toBe(1)

  for (let i = 0; i < 4; i++) a.links.send('b', 'beat', `${i}`, 'turn')
  await vi.waitFor(() => expect(b.heard.length).toBe(4))
  expect(new Set(b.heard.map(({ path }) => path)).size).toBe(2)
})

test('nothing is sent to somebody who is not connected, nor what is larger than members take', async () => {
  const [a, b] = await pair()
  expect(a.links.send('c', 'x', 'x', 'all')).toBe(false)
  expect(a.links.send('b', 'x', Buffer.alloc(100_001), 'one')).toBe(false)
  expect(a.links.send('b', 'x', Buffer.alloc(100_000, 'y'), 'one')).toBe(true)
  await vi.waitFor(() => expect(b.heard[0]?.text.length).toBe(100_000))
})

test('a member that sends more than is allowed here is cut off, and what it sent is not heard', async () => {
  const [a, b] = await pair({}, { largest: 1_000 })
  a.links.send('b', 'x', Buffer.alloc(50_000), 'one')
  await vi.waitFor(() => expect(a.lost).toBe(1))
  expect(b.heard).toEqual([])
})

test('a member that is removed is cut at once, and hears nothing any more', async () => {
  const [a, b] = await pair()
  a.links.setMembers([])
  expect(a.links.send('b', 'x', 'x', 'all')).toBe(false)
  await vi.waitFor(() => expect(b.up).toBe(0))
  await vi.waitFor(() => expect(a.refused).toContain('unknown-certificate'))
  b.links.send('a', 'x', 'x', 'all')
  expect(a.heard).toEqual([])
})

test('a certificate that nobody pinned is refused on both sides', async () => {
  const a = await box('a')
  const stranger = await box('stranger')
  a.links.setMembers([memberOf(stranger, 'b')])
  stranger.links.setMembers([memberOf(a)])
  await vi.waitFor(() => expect(a.refused.length).toBe(2))
  expect(new Set(a.refused)).toEqual(new Set(['unknown-certificate']))
  expect([a.up, stranger.up]).toEqual([0, 0])
  // The stranger tries again and again; the audit log gets one line for each address.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(a.refused.length).toBe(2)
})

test('an address outside pair.allow.sync gets no handshake', async () => {
  const a = await box('a', { allow: ['10.0.0.0/8', 'fd00::/8'] })
  const socket = connectTcp(a.links.listening)
  socket.on('error', () => {})
  await ended(socket)
  expect(a.refused).toEqual(['sync-not-allowed'])
})

test('a member may speak as nobody else and listen to nobody else', async () => {
  const [a, b] = await pair()
  const { MqttClient } = await import('mqtt')
  for (const [publish, subscribe] of [
    ['from/a/beat', undefined],
    ['to/b/beat', undefined],
    [undefined, '#'],
    [undefined, 'to/a/#'],
  ]) {
    const socket = connect({
      ...a.links.listening,
      cert: identity('b').certificate,
      key: identity('b').key,
      ALPNProtocols: ['mqtt'],
      rejectUnauthorized: false,
    })
    const client = new MqttClient(() => socket, {
      clientId: 'b/forged',
      keepalive: 5,
      clean: true,
      reconnectPeriod: 0,
      protocolVersion: 4,
    })
    client.on('error', () => {})
    client.on('connect', () => {
      if (publish) client.publish(publish, 'forged', () => {})
      if (subscribe) client.subscribe(subscribe, () => {})
    })
    await ended(socket)
    client.end(true)
  }
  expect([...a.heard, ...b.heard]).toEqual([])
})

test('the pairing ceremony gets its connections, whoever comes', async () => {
  const a = await box('a')
  const socket = connect({
    ...a.links.listening,
    ALPNProtocols: ['twinline-join/1'],
    rejectUnauthorized: false,
  })
  socket.on('error', () => {})
  await vi.waitFor(() => expect(a.joins.length).toBe(1))
  a.joins[0]?.end('hello')
  const [text] = await Promise.all([socket.setEncoding('utf8').toArray(), ended(socket)])
  expect(text.join('')).toBe('hello')
})

test('a member that comes back is connected again, and a dead one is noticed', async () => {
  const [a, b] = await pair()
  const { listening } = b.links
  await b.links.close()
  await vi.waitFor(() => expect(a.up).toBe(0))
  const again = await box('b', { listen: listening })
  again.links.setMembers([memberOf(a)])
  await vi.waitFor(() => expect([a.up, again.up]).toEqual([2, 2]), 10_000)
})

test('one host that knocks without end does not keep others waiting for long, and nothing grows', async () => {
  const a = await box('a')
  const knocking = Array.from({ length: 40 }, () => connectTcp(a.links.listening))
  for (const socket of knocking) socket.on('error', () => {})
  await vi.waitFor(() =>
    expect(knocking.filter(({ destroyed }) => destroyed).length).toBeGreaterThanOrEqual(32),
  )
  expect(a.refused).toEqual(['too-many-connections'])
  for (const socket of knocking) socket.destroy()
})

test('a connection that carries nothing is given up when something must come', async () => {
  const [a] = await pair({ silence: 400 })
  await vi.waitFor(() => expect(a.up).toBe(1), 5_000)
  await vi.waitFor(() => expect(a.up).toBe(2), 5_000)
})

test('a member that reads nothing fills a bounded buffer, and send says so', async () => {
  const a = await box('a')
  // Plays member b: proves itself, subscribes, then stops reading.
  a.links.setMembers([{ node: 'b', fingerprint: identity('b').fingerprint, addresses: [] }])
  const { MqttClient } = await import('mqtt')
  const socket = connect({
    ...a.links.listening,
    cert: identity('b').certificate,
    key: identity('b').key,
    ALPNProtocols: ['mqtt'],
    rejectUnauthorized: false,
  })
  const client = new MqttClient(() => socket, {
    clientId: 'b/x',
    keepalive: 60,
    clean: true,
    reconnectPeriod: 0,
    protocolVersion: 4,
  })
  client.on('error', () => {})
  client.on('connect', () => client.subscribe('to/b/#', () => {}))
  await vi.waitFor(() => expect(a.up).toBe(1))
  socket.pause()
  const payload = Buffer.alloc(100_000, 'z')
  await vi.waitFor(
    () => {
      for (let i = 0; i < 20; i++) a.links.send('b', 'x', payload, 'one')
      expect(a.links.waiting('b')).toBeGreaterThan(0)
      expect(a.links.send('b', 'x', payload, 'one')).toBe(false)
    },
    { timeout: 10_000, interval: 20 },
  )
  expect(a.links.waiting('b')).toBeLessThan(5_000_000)
  client.end(true)
})
