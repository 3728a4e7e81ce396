/**
 * The address with a lease in milliseconds: it stays configured while this member is active, and the packet filter
 * drops what it would say unless it is in a set whose element times out (measured: exact to 4 ms; a renewal of a
 * lapsed element fails as a whole, so it cannot come back by accident). Delete and add in one transaction is a renewal.
 *
 * What must be silent: packets to and from the address, and the kernel's ARP replies and neighbour advertisements for
 * it. Raw frames of the guard's own pass by the filter, and are sent while active only.
 */
import { monotonic } from '#core/clock.ts'
import type { AddressDriver, AddressOptions } from './address-driver.ts'
import { addressIproute2 } from './address-iproute2.ts'
import { resident } from './resident.ts'

/** So that the address also goes away when nobody is left to remove it. */
const CONFIGURED_S = 60
const CONFIGURED_RENEW_MS = 15_000

/** One name for each address: two appliances may share a machine. */
const tableName = (address: string): string => `twinline_${Buffer.from(address).toString('hex')}`

/** The set holds a constant: what it is asked for is the same for every rule of a family, so one element speaks for all. */
function rules(address: string, family: 4 | 6, table: string): string[] {
  const inet = `inet ${table}`
  const ip = family === 4 ? 'ip' : 'ip6'
  const lapsed = 'meta nfproto != @ok drop'
  const chain = (of: string, hook: string): string =>
    `add chain ${of} ${hook} { type filter hook ${hook} priority -300 ; policy accept ; }`
  const fresh = (of: string, type: string): string[] => [
    `add table ${of}`,
    `delete table ${of}`,
    `add table ${of}`,
    `add set ${of} ok { type ${type} ; flags timeout ; }`,
  ]
  const packets = [
    ...fresh(inet, 'nf_proto'),
    chain(inet, 'input'),
    chain(inet, 'output'),
    `add rule ${inet} input ${ip} daddr ${address} ${lapsed}`,
  ]
  if (family === 4) {
    const arp = `arp ${table}`
    return [
      ...packets,
      `add rule ${inet} output ip saddr ${address} ${lapsed}`,
      ...fresh(arp, 'ipv4_addr'),
      chain(arp, 'output'),
      `add rule ${arp} output arp saddr ip ${address} arp saddr ip != @ok drop`,
    ]
  }
  // RFC 4861 section 4.4: the target of an advertisement is 8 bytes into it, and it may come from another address.
  const target = `@th,64,128 0x${Buffer.from(bytesOf(address)).toString('hex')}`
  return [
    ...packets,
    // Neighbour discovery reaches the box by multicast; what it answers is held back here.
    `add rule ${inet} output icmpv6 type nd-neighbor-advert ${target} ${lapsed}`,
    `add rule ${inet} output ip6 saddr ${address} ${lapsed}`,
  ]
}

/** The 16 bytes of an IPv6 address. */
function bytesOf(address: string): Uint8Array {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array<number>(8 - before.length - after.length).fill(0)
  return new Uint8Array([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]))
}

export function addressNft(options: AddressOptions): AddressDriver {
  const { vip, lease, events } = options
  const table = tableName(vip.address)
  const sets: { set: string; element: string }[] = [
    { set: `inet ${table} ok`, element: vip.family === 4 ? 'ipv4' : 'ipv6' },
    ...(vip.family === 4 ? [{ set: `arp ${table} ok`, element: vip.address }] : []),
  ]
  const begin = sets
    .map(({ set, element }) => `add element ${set} { ${element} timeout ${lease}ms }`)
    .join(' ; ')
  const end = sets.map(({ set, element }) => `delete element ${set} { ${element} }`).join(' ; ')

  let until = 0
  let configuredAt = 0
  let prepared = false
  const runs = (): boolean => monotonic() < until
  const nft = resident({
    command: 'nft',
    args: ['-i'],
    onError(text) {
      // The second and third line of a complaint quote the order.
      if (!text.startsWith('Error:')) return
      if (runs()) events.failed(`nft: ${text}`)
    },
    onEnded(text) {
      // The lease lapses unless a new one takes the next renewal.
      events.trouble(text)
    },
  })
  function give(line: string): void {
    until = monotonic() + lease
    if (!nft.write(line)) events.failed('nft takes no orders')
  }
  const configured = addressIproute2(
    {
      ...options,
      events: {
        ...events,
        added() {
          give(begin)
          events.added()
        },
        removed() {
          until = 0
          events.removed()
        },
      },
    },
    CONFIGURED_S,
    CONFIGURED_S * 1000,
  )

  return {
    add() {
      if (!prepared) {
        prepared = true
        for (const line of rules(vip.address, vip.family, table)) nft.write(line)
      }
      configuredAt = monotonic()
      configured.add()
    },
    renew() {
      if (!runs()) return
      give(`${end} ; ${begin}`)
      if (monotonic() - configuredAt < CONFIGURED_RENEW_MS) return
      configuredAt = monotonic()
      configured.renew()
    },
    remove() {
      if (runs()) nft.write(end)
      until = 0
      configured.remove()
    },
    settled: configured.settled,
    here: () => configured.here() && runs(),
    async close() {
      if (runs()) nft.write(end)
      until = 0
      await configured.close()
      if (prepared) {
        nft.write(`delete table inet ${table}`)
        if (vip.family === 4) nft.write(`delete table arp ${table}`)
      }
      await nft.close()
    },
  }
}
