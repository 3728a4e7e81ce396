/** Addresses as text, and the list of networks from which members may connect. */
import { BlockList, isIPv6 } from 'node:net'
import type { Listen } from '#config/types.ts'

/** `host:port`, an IPv6 host in brackets (RFC 3986 section 3.2.2). */
export const addressText = ({ host, port }: Listen): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`

/** @returns undefined when it is not host:port */
export function parseAddress(text: string): Listen | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  return host === undefined || port === undefined ? undefined : { host, port: Number(port) }
}

/** A socket that listens on `::` shows IPv4 clients as ::ffff:a.b.c.d. */
export const plainAddress = (address: string | undefined): string =>
  (address ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '')

/** @param networks CIDR, or single addresses; absent: everybody */
export function allowList(networks: readonly string[] | undefined): (address: string) => boolean {
  if (networks === undefined) return () => true
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
