/**
 * What some suites need from the machine beyond npm packages: Debian programs and privileges.
 *
 * A suite whose need is missing is not run and says so in its title, which the test runner lists at the end with the
 * command that installs it. With CI=true it fails by name instead, so that a pipeline cannot pass by testing less.
 */
import { spawnSync } from 'node:child_process'
import { describe, test } from 'vitest'

interface Need {
  /** Succeeds (exit 0) when the need is met. */
  probe: readonly [string, ...string[]]
  /** The command that meets it. */
  install: string
}

const program = (name: string, packageName: string): Need => ({
  probe: ['which', name],
  install: `apt-get install ${packageName}`,
})

const needs = {
  socat: program('socat', 'socat'),
  curl: program('curl', 'curl'),
  openssl: program('openssl', 'openssl'),
  strace: program('strace', 'strace'),
  'systemd-analyze': program('systemd-analyze', 'systemd'),
  nft: program('nft', 'nftables'),
  arping: program('arping', 'iputils-arping'),
  keepalived: program('keepalived', 'keepalived'),
  swaks: program('swaks', 'swaks'),
  msmtp: program('msmtp', 'msmtp'),
  mosquitto: program('mosquitto', 'mosquitto'),
  mbpoll: program('mbpoll', 'mbpoll'),
  slapd: program('slapd', 'slapd ldap-utils'),
  alertmanager: program('prometheus-alertmanager', 'prometheus-alertmanager'),
  apprise: program('apprise', 'apprise'),
  chromium: program('chromium', 'chromium'),
  ghostscript: program('gs', 'ghostscript'),
  'libtiff-tools': program('tiffcp', 'libtiff-tools'),
  efax: program('efax', 'efax'),
  sendfax: program('sendfax', 'mgetty-fax'),
  /** Builds the soft fax modem. */
  spandsp: {
    probe: ['gcc', '-fsyntax-only', '-include', 'spandsp.h', '-xc', '/dev/null'],
    install: 'apt-get install gcc libc6-dev libspandsp-dev libtiff-dev',
  },
  /** Networks and mounts of one's own, as root or as root of a user namespace. */
  'network-namespaces': {
    probe: [
      'unshare',
      ...(process.getuid?.() === 0 ? [] : ['-U', '-r']),
      '-n',
      '-m',
      'ip',
      'link',
      'set',
      'lo',
      'up',
    ],
    install: 'apt-get install util-linux iproute2; sysctl -w kernel.unprivileged_userns_clone=1',
  },
  /** A mount namespace of one's own, as root of a user namespace. */
  'user-namespaces': {
    probe: ['unshare', '-rm', 'true'],
    install: 'apt-get install util-linux; sysctl -w kernel.unprivileged_userns_clone=1',
  },
} satisfies Record<string, Need>

export type RequirementName = keyof typeof needs

const known = new Map<RequirementName, { missing?: string }>()

/** @returns `missing` holds the command that installs it; absent when the need is met */
export function requirement(name: RequirementName): { missing?: string } {
  let answer = known.get(name)
  if (!answer) {
    const [command, ...args] = needs[name].probe
    const met = spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0
    answer = met ? {} : { missing: needs[name].install }
    known.set(name, answer)
  }
  return answer
}

/** `describe` for a suite that needs something of the machine. */
export function describeWith(names: readonly RequirementName[], title: string, body: () => void): void {
  const lacking = names.filter((name) => requirement(name).missing !== undefined)
  if (lacking.length === 0) {
    describe(title, body)
    return
  }
  const why = lacking.map((name) => `${name}: ${requirement(name).missing}`).join('; ')
  const note = `[not run: needs ${why}] ${title}`
  if (process.env['CI'] === 'true') {
    test(note, () => {
      throw new Error(`this suite must run in CI and needs ${why}`)
    })
    return
  }
  describe.skip(note, body)
}
