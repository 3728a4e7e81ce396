/** Addresses and networks as the configuration writes them (CIDR, RFC 4632 and RFC 4291 2.3), and who is in a list of networks. Pure. */
import { BlockList, isIP, isIPv4 } from 'node:net'
import type { Parsed } from './section.ts'
import type { VirtualIp } from './types.ts'

interface Network {
  address: string
  prefix: number
  family: 4 | 6
}

/** @param text `address/prefix`; an address alone is a network of one */
function readNetwork(text: string): Network | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (rest.length > 0 || (family !== 4 && family !== 6) || address.includes('%')) return undefined
  const longest = family === 4 ? 32 : 128
  if (bits === undefined) return { address, prefix: longest, family }
  const prefix = /^[0-9]{1,3}$/.test(bits) ? Number(bits) : longest + 1
  return prefix <= longest ? { address, prefix, family } : undefined
}

const familyName = ({ family }: Network) => (family === 4 ? 'ipv4' : 'ipv6')

export function parseNetwork(text: string): Parsed<string> {
  const network = readNetwork(text)
  return network === undefined
    ? { allowed: 'write a network such as 10.0.1.0/24 or fd00:1::/64, or one address' }
    : { value: `${network.address}/${network.prefix}` }
}

/** @returns whether an address, as a socket names its far end, is in one of the networks; an absent list allows everybody */
export function allowedBy(networks: readonly string[] | undefined): (address: string) => boolean {
  if (networks === undefined) return () => true
  const list = new BlockList()
  for (const text of networks) {
    const network = readNetwork(text)
    if (network !== undefined) list.addSubnet(network.address, network.prefix, familyName(network))
  }
  return (text) => {
    // A socket that serves both families names an IPv4 client ::ffff:10.0.0.1; a link-local one names its interface.
    const address = text.replace(/^::ffff:(?=[0-9.]+$)/i, '').replace(/%.*$/, '')
    return isIP(address) !== 0 && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
  }
}

export function parseAddress(text: string): Parsed<string> {
  return isIP(text) === 0 || text.includes('%')
    ? { allowed: 'write an address such as 10.77.0.254 or fd00:1::1' }
    : { value: text }
}

/** An address that one interface can hold, with the prefix of its network. */
export function parseVirtualAddress(text: string): Parsed<Pick<VirtualIp, 'address' | 'prefix' | 'family'>> {
  const allowed =
    'write a free address of the network and its prefix, such as 10.77.0.100/24 or fd00:1::100/64'
  const network = text.includes('/') ? readNetwork(text) : undefined
  if (network === undefined || network.prefix === 0) return { allowed }
  if (nobody.check(network.address, familyName(network))) return { allowed }
  if (network.family === 4 && network.prefix < 31) {
    const host = ipv4Number(network.address) % 2 ** (32 - network.prefix)
    // The first names the network itself, the last everybody in it.
    if (host === 0 || host === 2 ** (32 - network.prefix) - 1) return { allowed }
  }
  return { value: network }
}

/** Addresses that no interface can have as its own: unspecified, multicast, reserved. */
const nobody = new BlockList()
nobody.addSubnet('0.0.0.0', 8, 'ipv4')
nobody.addSubnet('224.0.0.0', 3, 'ipv4')
nobody.addAddress('::', 'ipv6')
nobody.addSubnet('ff00::', 8, 'ipv6')

const ipv4Number = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
