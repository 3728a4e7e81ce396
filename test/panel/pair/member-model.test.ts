/**
 * What the page of the pair says about each member, and what it offers to do, out of what the appliance says: a silent
 * member is no standby whatever it said last, and nobody is made active who lacks something.
 */
import { describe, expect, it } from 'vitest'
import { membersOf, sameRevision, toActive, toStandby } from '../../../src/panel/pair/member-model.ts'
import type { OtherMember, PairView } from '../../../src/panel/pair/shapes.ts'

const other = (more: Partial<OtherMember> = {}): OtherMember => ({
  node: 'box-b',
  fingerprint: 'b'.repeat(64),
  addresses: ['10.77.0.2:8883'],
  priority: 100,
  label: 'Standby (Backup)',
  paths: [{ address: '10.77.0.2:8883', up: true, roundTripMs: 0.4 }],
  signal: 'LIVE',
  role: 'standby',
  silentMs: 20,
  skewMs: 3_000,
  linesHealthy: 2,
  queued: 4,
  revision: 'r1',
  replication: { state: 'current', behind: 0 },
  ...more,
})

const pair = (more: Partial<PairView> = {}): PairView => ({
  node: 'box-a',
  fingerprint: 'a'.repeat(64),
  standing: 'member',
  role: 'active',
  label: 'Active (Primary)',
  term: { counter: 3, node: 'box-a' },
  since: '2026-11-21T18:00:00Z',
  reason: 'it was told to',
  active: 'box-a',
  revision: 'r1',
  members: [other()],
  profile: { name: 'normal', interval: 200, misses: 4, lease: 1_000, grantWait: 1_650, bytesPerHour: 1 },
  promises: [],
  ...more,
})

describe('members', () => {
  it('are the one that answers first, then the others by name', () => {
    const view = pair({ members: [other({ node: 'box-c' }), other()] })
    expect(membersOf(view, [], '10.77.0.1').map(({ node, here }) => [node, here])).toEqual([
      ['box-a', true],
      ['box-b', false],
      ['box-c', false],
    ])
    expect(membersOf(view, [], '10.77.0.1')[0]?.addresses).toEqual(['10.77.0.1'])
  })

  it('are what they are, not what they said before they fell silent', () => {
    const [, silent] = membersOf(pair({ members: [other({ signal: 'DEAD', silentMs: 9_000 })] }), [])
    expect(silent).toMatchObject({ standing: 'silent', tone: 'bad', silentMs: 9_000 })
    expect(silent?.lines).toBeUndefined()
    expect(silent?.skewMs).toBeUndefined()
    const [, stopped] = membersOf(pair({ members: [other({ signal: 'CLOSE' })] }), [])
    expect(stopped).toMatchObject({ standing: 'stopped', tone: 'off' })
  })

  it('have the same settings or not, as far as they are heard', () => {
    const differing = [other({ revision: 'r0' })]
    expect(sameRevision(membersOf(pair(), []))).toBe(true)
    expect(sameRevision(membersOf(pair({ members: differing }), []))).toBe(false)
    const gone = pair({ members: [other({ revision: 'r0', signal: 'DEAD' })] })
    expect(sameRevision(membersOf(gone, []))).toBeUndefined()
  })
})

describe('what can be asked of a member', () => {
  const ask = (view: PairView, node: string) => {
    const members = membersOf(view, [])
    return { active: toActive(view, members, node), standby: toStandby(members, node) }
  }

  it('is that the standby takes over, and that the active one hands over', () => {
    expect(ask(pair(), 'box-b').active).toEqual({
      can: true,
      command: 'takeover',
      at: 'box-b',
      gives: 'box-a',
      takes: 'box-b',
    })
    expect(ask(pair(), 'box-a').standby).toMatchObject({ can: true, command: 'handover', takes: 'box-b' })
    expect(ask(pair(), 'box-a').active).toEqual({ can: false, why: 'is-so' })
    expect(ask(pair(), 'box-b').standby).toEqual({ can: false, why: 'is-so' })
  })

  it('is nothing that would lose something', () => {
    const lagging = pair({ members: [other({ replication: { state: 'lagging', behind: 7 } })] })
    expect(ask(lagging, 'box-b').active).toEqual({ can: false, why: 'not-ready' })
    expect(ask(lagging, 'box-a').standby).toEqual({ can: false, why: 'not-ready' })
    const silent = pair({ members: [other({ signal: 'DEAD' })] })
    expect(ask(silent, 'box-b').active).toEqual({ can: false, why: 'not-heard' })
  })

  it('is a takeover on the standby itself, also when nobody is active', () => {
    const { active: _, ...rest } = pair({
      role: 'standby',
      members: [other({ signal: 'DEAD', role: 'active' })],
    })
    expect(ask(rest, 'box-a').active).toMatchObject({ can: true, command: 'takeover', gives: '' })
  })
})
