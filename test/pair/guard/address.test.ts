/** The address drivers against the real kernel: what ends by itself, what comes never back, what is seen. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeWith } from '../../requirements.ts'
import { type Network, network } from './network.ts'

let net: Network
const players: Player[] = []
beforeEach(async () => {
  net = await network()
})
afterEach(() => {
  for (const { child } of players.splice(0)) child.kill('SIGKILL')
  net.close()
})

/** As the guard runs where it may: a lease of 300 ms is not for a process that waits for other tests. */
function runFirst(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  for (const each of [`${pid}`, ...children])
    spawnSync('chrt', ['--all-tasks', '--fifo', '--pid', '10', each], { stdio: 'ignore' })
}

interface Player {
  child: ChildProcessWithoutNullStreams
  said: string[]
  say(line: string): void
  /** Waits for a line from now on. */
  until(line: string | RegExp): Promise<void>
}

async function play(driver: string, address: string, router = ''): Promise<Player> {
  const [command, ...args] = net.inside(
    process.execPath,
    join(import.meta.dirname, 'address-process.ts'),
    driver,
    address,
    router,
  )
  const child = spawn(command, args)
  child.stderr.pipe(process.stderr)
  const said: string[] = []
  createInterface(child.stdout).on('line', (line) => said.push(line))
  const player: Player = {
    child,
    said,
    say: (line) => child.stdin.write(`${line}\n`),
    until: (line) =>
      vi.waitFor(() => expect(said).toContainEqual(expect.stringMatching(line)), {
        timeout: 10_000,
        interval: 5,
      }),
  }
  players.push(player)
  await player.until('ready')
  if (child.pid !== undefined) runFirst(child.pid)
  return player
}

async function held(driver: string, address: string): Promise<Player> {
  const player = await play(driver, address)
  player.say('every 50')
  player.say('add')
  await player.until('added')
  return player
}
const gone = (address: string, within: number): Promise<void> =>
  vi.waitFor(() => expect(net.addresses()).not.toContain(address), { timeout: within, interval: 20 })
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describeWith(['network-namespaces'], 'the address', () => {
  describe.each([
    ['iproute2', '10.77.0.100'],
    ['iproute2', 'fd00::100'],
  ])('%s %s', (driver, address) => {
    it('stays while it is renewed, and goes when it is told to', async () => {
      const player = await held(driver, address)
      // The kernel is asked again every two seconds.
      await wait(2_500)
      expect(net.addresses()).toContain(`${address}/`)
      if (!address.includes(':')) expect(net.addresses()).toContain('e0:twinline')
      expect(player.said.filter((line) => line !== 'carrier true')).toEqual(['ready', 'added'])
      player.say('remove')
      await player.until('removed')
      expect(net.addresses()).not.toContain(address)
    })

    it.each(['SIGSTOP', 'SIGKILL'] as const)('ends by itself after %s of its process', async (signal) => {
      const player = await held(driver, address)
      player.child.kill(signal)
      await gone(address, 3_000)
      if (signal === 'SIGKILL') return
      // What was frozen goes on: the renewal that was due finds its lease passed and does not bring the address back.
      player.child.kill('SIGCONT')
      await player.until('removed')
      await wait(300)
      expect(net.addresses()).not.toContain(address)
    })

    it('is missed at once when somebody takes it away', async () => {
      const player = await held(driver, address)
      player.say('quiet')
      net.ip('addr', 'flush', 'dev', 'e0', 'to', address)
      await player.until('removed')
    })

    it('is not renewed by one that did not add it, and a left-over one is removed', async () => {
      const label = address.includes(':') ? [] : ['label', 'e0:twinline']
      const width = address.includes(':') ? '64' : '24'
      net.ip(
        'addr',
        'add',
        `${address}/${width}`,
        'dev',
        'e0',
        ...label,
        'valid_lft',
        '30',
        'preferred_lft',
        '30',
      )
      const player = await play(driver, address)
      expect(net.addresses()).not.toContain(address)
      player.say('renew')
      player.say('here')
      await player.until('here false')
    })

    it('of somebody else is noticed', async () => {
      net.far.ip(
        'addr',
        'add',
        `${address}/${address.includes(':') ? '64' : '24'}`,
        'dev',
        'e1',
        ...(address.includes(':') ? ['nodad'] : []),
      )
      const player = await play(driver, address)
      player.say('probe')
      await player.until(/^probed [0-9a-f:]{17}$/)
    })
  })

  it('that an operator configured is not taken into a lease', async () => {
    net.ip('addr', 'add', '10.77.0.100/24', 'dev', 'e0')
    const player = await play('iproute2', '10.77.0.100')
    player.say('add')
    await player.until(/^failed .*not by twinline/)
    expect(net.addresses()).toContain('valid_lft forever')
  })

  it('is announced, its network asked, and the carrier followed', async () => {
    net.ip('addr', 'add', '10.77.0.1/24', 'dev', 'e0')
    net.far.ip('addr', 'add', '10.77.0.254/24', 'dev', 'e1')
    const player = await play('iproute2', '10.77.0.100', '10.77.0.254')
    player.say('probe')
    await player.until('probed free')
    player.say('router')
    await player.until('router true')
    const before = sent()
    player.say('announce')
    await vi.waitFor(() => expect(sent()).toBeGreaterThan(before))
    player.said.length = 0
    net.far.ip('link', 'set', 'e1', 'down')
    await player.until('carrier false')
    net.far.ip('link', 'set', 'e1', 'up')
    await player.until('carrier true')
  })
})

const sent = (): number => JSON.parse(net.ip('-s', '-j', 'link', 'show', 'dev', 'e0'))[0].stats64.tx.packets

describeWith(['network-namespaces', 'nft'], 'the address by packet filter', () => {
  /** A fresh client at the far end: asks for the hardware address, then knocks where nobody listens. */
  const knock = (address: string): string => {
    net.far.ip('neigh', 'flush', 'all')
    const program = `require('net').connect({ host: '${address}', port: 9, timeout: 500 })
      .on('error', (error) => { console.log(error.code); process.exit() }).on('timeout', () => process.exit())`
    return net.far.run(process.execPath, '-e', program).stdout.trim()
  }
  const answers = (address: string): boolean => knock(address) === 'ECONNREFUSED'
  describe.each(['10.77.0.100', 'fd00::100'])('%s', (address) => {
    it('answers while renewed, is silent 300 ms after the last renewal, and does not come back', async () => {
      if (address.includes(':')) net.far.ip('addr', 'add', 'fd00::1/64', 'dev', 'e1', 'nodad')
      else net.far.ip('addr', 'add', '10.77.0.3/24', 'dev', 'e1')
      const player = await held('nft', address)
      await wait(800)
      expect(answers(address)).toBe(true)
      player.child.kill('SIGSTOP')
      await wait(800)
      expect(net.addresses()).toContain(address)
      expect(answers(address)).toBe(false)
      player.child.kill('SIGCONT')
      await wait(300)
      expect(answers(address)).toBe(false)
      player.say('remove')
      await player.until('removed')
      player.say('close')
      await player.until('closed')
      expect(net.run('nft', 'list', 'ruleset').stdout).toBe('')
    })
  })
})
