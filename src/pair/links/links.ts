/**
 * The links of this member: its own broker behind the door, and one client for each address of every other member.
 * A path is a connection in either direction; what is said to a member goes over all of them, over one, or over each
 * in turn. Nothing here is kept or acknowledged.
 */
import { addressText } from './address.ts'
import type { LinkMember, Links, LinksOptions } from './contract.ts'
import { openDoor } from './door.ts'
import { openInbound, type Path } from './inbound.ts'
import { connectOut, type Outbound, timing } from './outbound.ts'
import { refusals } from './refusals.ts'

/** Payloads of the largest size that may wait for one connection. */
const LARGEST_WAITING = 4
const LEAST_BUFFER = 65_536

interface Member {
  member: LinkMember
  clients: Map<string, Outbound>
  /** In the order in which they opened. */
  open: Path[]
  /** The path of `one`: the first that was open, for as long as it is. */
  chosen?: Path
  /** Counts what was sent in turn. */
  turn: number
}

/** @throws when it cannot listen */
export async function openLinks(options: LinksOptions): Promise<Links> {
  const { node, identity, listen, largest, log } = options
  const members = new Map<string, Member>()
  const times = timing(options.interval, options.silence)
  const buffer = Math.max(LEAST_BUFFER, largest * LARGEST_WAITING)
  const refuse = refusals(options.onRefused)

  function tellPaths({ member, open }: Member): void {
    const up = new Set(open.map(({ name }) => name))
    options.onPaths(member.node, [
      ...member.addresses.map((address) => ({ address, up: up.has(address) })),
      ...open
        .filter(({ name }) => !member.addresses.includes(name))
        .map(({ name }) => ({ address: name, up: true })),
    ])
  }
  function onOpen(path: Path): void {
    const entry = members.get(path.node)
    if (!entry) {
      path.cut()
      return
    }
    entry.open.push(path)
    entry.chosen ??= path
    tellPaths(entry)
  }
  function onClosed(path: Path): void {
    const entry = members.get(path.node)
    if (!entry?.open.includes(path)) return
    entry.open = entry.open.filter((other) => other !== path)
    if (entry.chosen === path) {
      const [next] = entry.open
      if (next) entry.chosen = next
      else delete entry.chosen
    }
    tellPaths(entry)
  }
  function onMessage(from: string, topic: string, payload: Buffer, path: string): void {
    if (members.has(from)) options.onMessage(from, topic, payload, path)
  }

  const inbound = await openInbound({
    largest,
    log,
    onOpen,
    onClosed,
    onMessage,
  })
  const door = await openDoor({
    identity,
    listen,
    log,
    refuse,
    ...(options.allow && { allow: options.allow }),
    ...(options.onJoin && { onJoin: options.onJoin }),
    ...(options.removed && { removed: options.removed }),
    memberOf: (fingerprint) =>
      [...members.values()].find(({ member }) => member.fingerprint === fingerprint)?.member.node,
    onMember: inbound.serve,
  }).catch(async (error: unknown) => {
    await inbound.close()
    throw error
  })

  function leave(entry: Member): void {
    members.delete(entry.member.node)
    for (const client of entry.clients.values()) client.close()
    inbound.cut(entry.member.node)
    if (entry.open.length > 0) options.onPaths(entry.member.node, [])
  }
  function meet(member: LinkMember): void {
    const known = members.get(member.node)
    if (known && known.member.fingerprint !== member.fingerprint) leave(known)
    const entry = members.get(member.node) ?? {
      member,
      clients: new Map<string, Outbound>(),
      open: [],
      turn: 0,
    }
    entry.member = member
    members.set(member.node, entry)
    for (const [address, client] of entry.clients) {
      if (member.addresses.includes(address)) continue
      client.close()
      entry.clients.delete(address)
    }
    for (const address of member.addresses) {
      if (entry.clients.has(address)) continue
      const client = connectOut({
        node,
        identity,
        member,
        address,
        largest,
        log,
        refuse,
        timing: times,
        onOpen,
        onClosed,
        onMessage,
      })
      entry.clients.set(address, client)
    }
  }

  return {
    listening: door.listening,
    setMembers(wanted) {
      const others = wanted.filter((member) => member.node !== node)
      const names = new Set(others.map((member) => member.node))
      for (const entry of [...members.values()]) if (!names.has(entry.member.node)) leave(entry)
      for (const member of others) meet(member)
    },
    send(to, topic, payload, over) {
      const entry = members.get(to)
      const bytes = Buffer.from(payload)
      if (!entry?.chosen) return false
      if (bytes.length > largest) {
        log('warn', { to, topic, bytes: bytes.length }, 'not sent: larger than what members take')
        return false
      }
      const ready = (path: Path | undefined): path is Path => path !== undefined && path.waiting() < buffer
      const { open, chosen } = entry
      const candidates =
        over === 'all' ? open : over === 'one' ? [chosen] : [open[entry.turn++ % open.length]]
      const paths = candidates.filter(ready)
      for (const path of paths) path.send(topic, bytes)
      return paths.length > 0
    },
    waiting: (to) => members.get(to)?.chosen?.waiting() ?? 0,
    async close() {
      for (const entry of [...members.values()]) leave(entry)
      await inbound.close()
      await door.close()
      log('debug', { listening: addressText(door.listening) }, 'links closed')
    },
  }
}
