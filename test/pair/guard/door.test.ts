/** The guard's own door: who knocks with the certificate of a member that was removed is refused by name. */
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startGuard } from '#pair/guard/guard.ts'
import type { FromGuard } from '#pair/guard/protocol.ts'
import { identityFor } from '#pair/links/certificate.ts'
import { PROTOCOL } from '#pair/links/door.ts'
import { pairConfig } from './pair-config.ts'

test('a removed member is refused by its name, before and after the members change', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'guard-door-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  for (const node of ['a', 'b']) await mkdir(join(directory, node))
  const [own, other] = [
    await identityFor(join(directory, 'a'), 'a'),
    await identityFor(join(directory, 'b'), 'b'),
  ]
  const said: FromGuard[] = []
  const of = <K extends FromGuard['kind']>(kind: K) =>
    said.filter((message): message is Extract<FromGuard, { kind: K }> => message.kind === kind)
  const former = { removed: false, members: [{ node: 'b', fingerprint: other.fingerprint }] }
  const nobody = { ...former, members: [] }
  const begin = { kind: 'begin', node: 'a', pair: pairConfig(), identity: own, members: [] } as const
  const guard = await startGuard(
    { ...begin, former: nobody, directory: join(directory, 'a') },
    { tell: (message) => said.push(message), close: () => {} },
  )
  onTestFinished(() => guard.abandon())
  const [ready] = of('ready')
  async function knock(): Promise<void> {
    const { certificate: cert, key } = other
    const socket = connect({
      ...ready?.listening,
      cert,
      key,
      rejectUnauthorized: false,
      ALPNProtocols: [PROTOCOL],
    })
    socket.on('error', () => {})
    await once(socket, 'close')
  }
  await knock()
  await vi.waitFor(() => expect(of('audit')).toMatchObject([{ what: 'unknown-certificate' }]))
  guard.take({ kind: 'members', members: [], former })
  await knock()
  await vi.waitFor(() => expect(of('audit')).toMatchObject([{}, { what: 'pair-member-removed' }]))
  expect(of('audit').at(-1)?.text).toContain('belongs to b, which was removed from the pair')
})
