/**
 * The figures that the panel shows while somebody types are those of the appliance. Method: each profile and each
 * circumstance through both, and the rule about restarts against the reader of the configuration.
 */
import { describe, expect, it } from 'vitest'
import { profileNamed, silenceAfter } from '#config/heartbeat.ts'
import { parseConfig } from '#config/load.ts'
import { promises } from '#config/promises.ts'
import { ConfigInvalid } from '#config/source.ts'
import { formatDuration } from '#core/duration.ts'
import {
  beatsOf,
  failoverTime,
  parseSpan,
  profileNames,
  restartRule,
  spanText,
} from '../../../src/panel/pair/timing.ts'

const drivers = ['iproute2', 'nft', 'external', undefined] as const

describe('the failover time that the panel expects', () => {
  it.each(
    profileNames.flatMap((name) =>
      drivers.flatMap((driver) => [true, false].map((asked) => ({ name, driver, asked }))),
    ),
  )("is the appliance's own with $name, $driver, asked: $asked", ({ name, driver, asked }) => {
    const profile = profileNamed(name, driver)
    const beats = beatsOf(name, driver)
    expect(beats).toEqual({
      interval: profile.interval,
      misses: profile.misses,
      timeout: profile.timeout,
      lease: profile.lease,
    })
    const time = failoverTime(beats, { driver, asked, lineStart: 0 })
    const dead = promises(profile, { witness: asked, ...(driver === undefined ? {} : { driver }) }).find(
      ({ fault }) => fault === 'box-dead',
    )
    expect(time.served).toBe(dead?.outage)
    expect(time.silence).toBe(silenceAfter(profile))
    expect(time.lease).toBe(profile.grantWait)
  })

  it('adds the start of each line, 200 ms for its port and 200 ms for its modem', () => {
    const time = failoverTime(beatsOf('telisca', 'iproute2'), {
      driver: 'iproute2',
      asked: false,
      lineStart: 3_200,
    })
    expect(time.served).toBe(160_000)
    expect(time.sending).toBe(163_200)
  })
})

/** The problem at `pair.profile.restart`, as the reader of the file finds it. */
function refused(interval: number, misses: number, restart: number): boolean {
  const text = `pair:
  listen: 127.0.0.1:1
  profile: { interval: ${formatDuration(interval)}, misses: ${misses}, restart: ${formatDuration(restart)} }
`
  try {
    parseConfig(text, 'test')
    return false
  } catch (error) {
    return error instanceof ConfigInvalid && error.problems.some(({ key }) => key === 'pair.profile.restart')
  }
}

describe('the rule (misses − 1) × interval > restart', () => {
  it.each([
    { interval: 30_000, misses: 5, restart: 60_000 },
    { interval: 15_000, misses: 4, restart: 45_000 },
    { interval: 20_000, misses: 3, restart: 60_000 },
    { interval: 20_000, misses: 4, restart: 60_000 },
    { interval: 20_000, misses: 5, restart: 60_000 },
    { interval: 1_000, misses: 2, restart: 1_000 },
  ])('is kept or broken as the appliance says: $interval × $misses, restart $restart', (beats) => {
    const rule = restartRule(beats, beats.restart)
    expect(rule.kept).toBe(!refused(beats.interval, beats.misses, beats.restart))
    expect(restartRule({ ...beats, misses: rule.enough }, beats.restart).kept).toBe(true)
    expect(restartRule({ ...beats, misses: rule.enough - 1 }, beats.restart).kept).toBe(false)
  })
})

describe('spans', () => {
  it('are read as the configuration writes them, and nothing else is', () => {
    expect(['100ms', '30s', '5m', '2h', ' 1d '].map(parseSpan)).toEqual([
      100, 30_000, 300_000, 7_200_000, 86_400_000,
    ])
    expect(['', '5', '1.5s', '-1s', '5 s', '5x'].map(parseSpan)).toEqual(Array(6).fill(undefined))
  })

  it('are shown with as many digits as matter', () => {
    expect([50, 1_650, 3_650, 12_340, 119_000, 160_000, 3_600_000, 172_800_000].map(spanText)).toEqual([
      '50 ms',
      '1.65 s',
      '3.65 s',
      '12.3 s',
      '119 s',
      '2 min 40 s',
      '1 h',
      '2 d',
    ])
  })
})
