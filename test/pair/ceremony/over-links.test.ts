/** The ceremony where it lives: on the log listener of the real links, beside the members' own connections. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { createCeremony } from '#pair/ceremony/ceremony.ts'
import { identityFor } from '#pair/links/certificate.ts'
import { openLinks } from '#pair/links/links.ts'
import { type Membership, openMembership } from '#pair/membership.ts'
import { memberStore } from './two-boxes.ts'

async function member(node: string) {
  const directory = await mkdtemp(join(tmpdir(), 'pair-'))
  const identity = await identityFor(directory, node)
  const late: { membership?: Membership; ceremony?: ReturnType<typeof createCeremony> } = {}
  const refused: string[] = []
  const audited: string[] = []
  const paths: { node: string; up: number }[] = []
  const links = await openLinks({
    node,
    identity,
    listen: { host: '127.0.0.1', port: 0 },
    interval: 200,
    largest: 65_536,
    onMessage: () => {},
    onPaths: (other, all) => paths.push({ node: other, up: all.filter(({ up }) => up).length }),
    onRefused: (_address, code, text) => refused.push(`${code} ${text}`),
    onJoin: (socket) => late.ceremony?.receive(socket),
    removed: (fingerprint) => late.membership?.removed(fingerprint),
    log: () => {},
  })
  const address = `127.0.0.1:${links.listening.port}`
  const own = { node, fingerprint: identity.fingerprint, guard: [address], log: [address], priority: 100 }
  const membership = await openMembership(memberStore(), own)
  late.membership = membership
  membership.onChange(({ others }) =>
    links.setMembers(others.map((each) => ({ ...each, addresses: each.log }))),
  )
  const ceremony = createCeremony({
    identity,
    directory,
    membership,
    clock: systemClock(0),
    audit: (_who, what) => audited.push(what),
    onPairingKey: () => {},
  })
  late.ceremony = ceremony
  onTestFinished(async () => {
    ceremony.close()
    await links.close()
    await rm(directory, { recursive: true })
  })
  return { membership, ceremony, refused, audited, paths }
}

test('boxes that have paired connect at once, and a removed one is refused by name', async () => {
  const [a, b] = [await member('box-a'), await member('box-b')]
  const joined = await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')
  expect(joined).toMatchObject({ result: 'joined' })
  await vi.waitFor(() => {
    expect(a.paths.at(-1)).toMatchObject({ node: 'box-b', up: 2 })
    expect(b.paths.at(-1)).toMatchObject({ node: 'box-a', up: 2 })
  }, 10_000)
  expect(a.audited).toContain('pair-admitted')
  await a.membership.remove('box-b', async () => {})
  await vi.waitFor(() => {
    expect(a.refused.join()).toMatch(/pair-member-removed .* belongs to box-b, which was removed/)
  }, 10_000)
  await vi.waitFor(() => expect(b.paths.at(-1)).toMatchObject({ up: 0 }), 10_000)
}, 40_000)
