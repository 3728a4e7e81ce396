/**
 * The service unit: that systemd accepts it, that it keeps the sandbox it promises, and that the command which takes
 * a left-over address away does exactly that. Running it under a service manager is not tested here.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith } from './requirements.ts'

const unit = readFileSync('systemd/twinline.service', 'utf8')
const interpreter = '/usr/lib/twinline/node_modules/.bin/node'

/** All values of a key, in order. */
const values = (key: string): string[] =>
  unit.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))

describe('the unit', () => {
  test.each([
    ['User', 'twinline'],
    ['SupplementaryGroups', 'dialout'],
    ['Type', 'notify'],
    ['NotifyAccess', 'all'],
    ['WatchdogSec', '30s'],
    ['KillMode', 'process'],
    ['NoNewPrivileges', 'yes'],
    ['ProtectSystem', 'strict'],
    ['ProtectHome', 'yes'],
    ['PrivateTmp', 'yes'],
    ['StateDirectory', 'twinline'],
    ['DevicePolicy', 'closed'],
    ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET'],
    ['SystemCallFilter', '@system-service'],
    ['AmbientCapabilities', 'CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_NICE'],
    ['CapabilityBoundingSet', 'CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_NICE'],
  ])('%s is %s, once', (key, value) => {
    expect(values(key)).toEqual([value])
  })

  test('opens every kind of serial device and no other', () => {
    expect(values('DeviceAllow')).toEqual([
      'char-ttyUSB rw',
      'char-ttyACM rw',
      'char-ttyS rw',
      'char-ttyAMA rw',
    ])
  })

  test('leaves out what would stop V8, hide the devices or forbid real time', () => {
    for (const key of ['MemoryDenyWriteExecute', 'PrivateDevices', 'RestrictRealtime', 'DynamicUser'])
      expect(values(key)).toEqual([])
  })

  test('runs no shell', () => {
    for (const key of ['ExecStart', 'ExecStartPre', 'ExecStopPost', 'ExecStop', 'ExecReload'])
      for (const command of values(key)) expect(command).not.toMatch(/\b(sh|bash|dash)\b/)
  })

  test('the account of the unit is the one that systemd-sysusers makes', () => {
    const account = readFileSync('systemd/twinline.sysusers.conf', 'utf8')
    expect(account).toMatch(/^u twinline - /m)
    expect(account).toMatch(/^m twinline dialout$/m)
  })
})

describeWith(['systemd-analyze'], 'systemd', () => {
  const directory = mkdtempSync(join(tmpdir(), 'twinline-unit-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  // Verification wants the program to be there, so the copy that is verified names this test's own interpreter.
  const path = join(directory, 'twinline.service')
  writeFileSync(path, unit.replaceAll(interpreter, process.execPath))

  test('accepts the unit without a word', () => {
    expect(values('ExecStart')[0]).toContain(interpreter)
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('twinline'))
    expect({ status, complaints }).toEqual({ status: 0, complaints: [] })
  })

  test('finds the service less exposed than 3.0 of 10', () => {
    const { status, stdout } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--threshold=30', path],
      { encoding: 'utf8', timeout: 20_000 },
    )
    expect(stdout).toContain('Overall exposure level')
    expect(status).toBe(0)
  })

  test('makes the account, with access to the serial devices', () => {
    const root = join(directory, 'root')
    mkdirSync(join(root, 'etc'), { recursive: true })
    spawnSync('systemd-sysusers', [`--root=${root}`, join(process.cwd(), 'systemd/twinline.sysusers.conf')], {
      timeout: 20_000,
    })
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^twinline:.*:\/var\/lib\/twinline:/m)
    expect(readFileSync(join(root, 'etc/group'), 'utf8')).toMatch(/^dialout:.*:twinline$/m)
  })
})

describeWith(['user-namespaces'], 'a left-over address', () => {
  test('is removed by its label, and no other address is', () => {
    const [command] = values('ExecStopPost')
    const [program, ...args] = (command ?? '').replace(/^-/, '').replace('/usr/sbin/ip', 'ip').split(' ')
    // A network namespace of its own: nothing of this machine is touched.
    const script = [
      'address add 192.0.2.51/32 dev lo label lo:twinline valid_lft 60 preferred_lft 60',
      'address add 192.0.2.52/32 dev lo',
    ]
    const inNamespace = `${script.map((line) => `ip ${line}`).join(' && ')} && "$@"; ip -4 -o address show dev lo`
    const shown = execFileSync('unshare', ['-rn', 'sh', '-c', inNamespace, 'sh', program ?? '', ...args], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect(shown).toContain('192.0.2.52')
    expect(shown).not.toContain('192.0.2.51')
  })
})
