/** Commands to the pair and recovery: what is refused, what is told to whom, and what is said in the end. */
import { expect, test } from 'vitest'
import { systemClock } from '#core/clock.ts'
import { createPairControl } from '#pair/commands.ts'
import type { PairStatus, SwitchResult } from '#pair/contract.ts'
import { recover } from '#pair/recovery.ts'
import type { LogPosition, MessageView } from '#store/contract.ts'
import { type Box, box, nodes } from './ceremony/two-boxes.ts'

function statusOf(node: string, others: readonly string[]): PairStatus {
  return {
    node,
    role: { role: 'active', term: { counter: 1, node }, since: 0, reason: 'x', active: node },
    members: others.map((other) => ({
      node: other,
      signal: 'LIVE',
      role: 'standby',
      healthy: true,
      paths: [],
    })),
    replication: others.map((other) => ({ node: other, state: 'current', behind: 0 })),
    profile: { name: 'normal', interval: 200, misses: 4, lease: 1_000, grantWait: 1_700, bytesPerHour: 1 },
  }
}

function control(one: Box, status: PairStatus, result: SwitchResult = { result: 'done' }) {
  const commands: string[] = []
  return Object.assign(
    createPairControl({
      node: one.node,
      ceremony: one.ceremony,
      membership: one.membership,
      status: () => status,
      async command(command) {
        commands.push(command)
        return result
      },
      drill: async () => ({ result: 'done', text: 'x' }),
      recover: async () => ({ result: 'refused', code: 'pair-single', text: 'x' }),
      audit: (who, what, text) => one.audited.push({ who, what, text }),
    }),
    { commands },
  )
}

test('a code of one is a pair with the other', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  const invited = await control(a, statusOf('box-a', [])).invite('x')
  if (invited.result === 'refused') throw new Error(invited.text)
  expect(await control(b, statusOf('box-b', [])).join(invited.code, 'x')).toEqual({
    result: 'done',
    inviter: 'box-a',
    members: ['box-a'],
  })
  expect(nodes(control(a, statusOf('box-a', ['box-b'])).members())).toEqual(['box-a', 'box-b'])
})

test('a removed member is refused with an old code, and welcome with a new one', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')
  const before = (await a.ceremony.invite('x')).code
  expect(await control(a, statusOf('box-a', ['box-b'])).remove('box-b', 'http:admin')).toEqual({
    result: 'done',
  })
  expect(a.membership.others()).toEqual([])
  expect(a.membership.removed(b.identity.fingerprint)).toBe('box-b')
  expect(a.audited.at(-1)).toMatchObject({ who: 'http:admin', what: 'pair-removed' })
  expect(await b.ceremony.join(before, 'x')).toMatchObject({ code: 'pair-member-removed' })
  await a.until('pair-member-removed')
  expect(await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')).toMatchObject({ result: 'joined' })
})

test('a removed member goes on alone when it is told to take over', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')
  await b.store.operate({ op: 'memberRemove', node: 'box-b' })
  await b.membership.reload()
  const commands = control(b, statusOf('box-b', []))
  expect(commands.standing()).toBe('removed')
  expect(await commands.takeover('http:admin')).toEqual({ result: 'done' })
  expect(commands.standing()).toBe('single')
  expect(commands.commands).toEqual(['takeover'])
  expect(b.audited.map(({ what }) => what)).toContain('pair-left')
})

test('an active member, oneself and a stranger are not removed', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')
  const status = statusOf('box-b', ['box-a'])
  status.role = { ...status.role, role: 'standby', active: 'box-a' }
  const commands = control(b, status)
  expect(await commands.remove('box-a', 'x')).toMatchObject({ code: 'member-active' })
  expect(await commands.remove('box-b', 'x')).toMatchObject({ code: 'member-self' })
  expect(await commands.remove('box-x', 'x')).toMatchObject({
    code: 'member-unknown',
    text: expect.stringContaining('box-a'),
  })
  // One that is silent may be removed whatever it was.
  for (const member of status.members) member.signal = 'DEAD'
  expect(await commands.remove('box-a', 'x')).toEqual({ result: 'done' })
})

test('switching is the guard’s answer, and in the audit log either way', async () => {
  const a = await box('box-a')
  const done = control(a, statusOf('box-a', []))
  expect(await done.takeover('x')).toEqual({ result: 'done' })
  expect(await done.handover('x')).toEqual({ result: 'done' })
  expect(done.commands).toEqual(['takeover', 'handover'])
  const no = { result: 'refused' as const, code: 'no-standby', text: 'nobody' }
  expect(await control(a, statusOf('box-a', []), no).handover('y')).toEqual(no)
  expect(a.audited.map(({ who, what }) => `${who} ${what}`)).toEqual([
    'x pair-takeover',
    'x pair-handover',
    'y no-standby',
  ])
})

test('where the active is reached', async () => {
  const [a, b] = [await box('box-a'), await box('box-b')]
  await b.ceremony.join((await a.ceremony.invite('x')).code, 'x')
  await b.store.operate({ op: 'member', member: { ...a.membership.own, web: ['https://10.77.0.1:8443'] } })
  await b.membership.reload()
  const status = statusOf('box-b', ['box-a'])
  status.role = { ...status.role, role: 'standby', active: 'box-a' }
  expect(control(b, status).activeAt()).toEqual(['https://10.77.0.1:8443'])
  status.role = { ...status.role, active: 'box-b' }
  expect(control(b, status).activeAt()).toEqual([])
})

interface World {
  status: PairStatus
  positions: LogPosition[]
  complete: boolean
  flagged: boolean
}

/** @param answer what changes when the others are asked */
function recovering(
  world: World,
  answer: (from: string | undefined) => void,
  from?: string,
  clock = systemClock(0),
) {
  const view = {
    message: { id: 'm1' },
    deliveries: [{ id: 'd1', to: '+49170', possibleDuplicate: world.flagged }],
  } as MessageView
  return recover(
    {
      node: 'box-a',
      clock,
      store: {
        positions: async () => world.positions.map((each) => ({ ...each, first: 1 })),
        complete: () => world.complete,
        messages: async () => ({ items: [view] }),
      },
      status: () => world.status,
      resynchronise: answer,
      conflicts: async () => (world.flagged ? [{ revision: 'r', path: 'routes' }] : []),
    },
    from,
  )
}

function world(): World {
  const status = statusOf('box-a', ['box-b'])
  status.replication = [{ node: 'box-b', state: 'catchingUp', behind: 4 }]
  return {
    status,
    positions: [{ origin: 'box-b', incarnation: 'i', sequence: 10 }],
    complete: true,
    flagged: false,
  }
}

test('recovery waits until both hold the same, and counts what went which way', async () => {
  const at = world()
  const report = await recovering(at, (from) => {
    expect(from).toBeUndefined()
    setTimeout(() => {
      at.positions = [
        { origin: 'box-b', incarnation: 'i', sequence: 13 },
        { origin: 'box-b', incarnation: 'j', sequence: 2 },
      ]
      at.status.replication = [{ node: 'box-b', state: 'current', behind: 0 }]
    }, 250)
  })
  expect(report).toMatchObject({
    same: true,
    members: [{ node: 'box-b', reached: true, received: 5, sent: 4, behind: 0 }],
    advice: [],
    conflicts: [],
    duplicates: [],
  })
  expect(report).toMatchObject({ steps: [expect.any(String), expect.stringContaining('gave 5 entries')] })
})

test('what a person must look at is listed with what to do', async () => {
  const at = { ...world(), flagged: true }
  at.status.replication = [{ node: 'box-b', state: 'current', behind: 0, problem: 'no space' }]
  expect(await recovering(at, () => {})).toMatchObject({
    duplicates: [{ message: 'm1', delivery: 'd1', to: '+49170' }],
    conflicts: [{ path: 'routes' }],
    advice: [
      expect.stringContaining('no space'),
      expect.stringContaining('config conflicts'),
      expect.stringContaining('possibleDuplicate'),
    ],
  })
})

test('a member that does not answer is said to be missing, in bounded time', async () => {
  const at = world()
  at.status.replication = [{ node: 'box-b', state: 'disconnected', behind: 4 }]
  let now = 0
  const hasty = { ...systemClock(0), monotonic: () => (now += 3_000) }
  expect(await recovering(at, () => {}, undefined, hasty)).toMatchObject({
    same: false,
    members: [{ reached: false, behind: 4 }],
    advice: [expect.stringContaining('box-b')],
  })
})

test('who is alone, and a name that is nobody’s, are refused', async () => {
  expect(await recovering(world(), () => {}, 'box-x')).toMatchObject({ code: 'member-unknown' })
  expect(await recovering({ ...world(), status: statusOf('box-a', []) }, () => {})).toMatchObject({
    code: 'pair-single',
  })
})
