/**
 * The address with a lifetime that the kernel ends (measured: whole seconds, at least 1; never early, at most 0.5 s
 * late). Renewals are lines to the resident `ip`; that one was carried out is seen in the kernel's news. A renewal
 * that is not, for half a lease, may sit in the pipe of a program that hangs: that program is killed, so that it
 * cannot bring the address back later.
 */
import { SocketAddress } from 'node:net'
import { monotonic } from '#core/clock.ts'
import type { AddressDriver, AddressOptions } from './address-driver.ts'

/** if.h: an interface's name, and so a label, has at most 15 characters. */
const LONGEST_LABEL = 15
const CONFIRM_MS = 150
const TRIES = 5

const labelOf = (name: string): string => `${name}:twinline`.slice(0, LONGEST_LABEL)

/** As the kernel writes it. */
const canonical = (address: string, family: 4 | 6): string =>
  new SocketAddress({ address, family: family === 6 ? 'ipv6' : 'ipv4' }).address

/** @param seconds the lifetime @param lease ms after which a renewal would bring it back */
export function addressIproute2(options: AddressOptions, seconds: number, lease: number): AddressDriver {
  const { vip, kernel, events } = options
  const address = canonical(vip.address, vip.family)
  const whole = `${address}/${vip.prefix} dev ${kernel.name}`
  const label = vip.family === 4 ? ` label ${labelOf(kernel.name)}` : ''
  // Duplicate address detection takes 1 to 1.9 s (RFC 4862); the guard has asked the network itself.
  const lifetime = `${vip.family === 6 ? ' nodad' : ''} valid_lft ${seconds} preferred_lft ${seconds}`

  let state: 'none' | 'adding' | 'held' | 'removing' = 'none'
  let here = false
  /** Somebody else's: with no end and without our label. */
  let foreign = false
  let until = 0
  /** When the renewal was ordered that the kernel has not shown yet. */
  let unseen: number | undefined
  let timer: NodeJS.Timeout | undefined
  let gone: (() => void)[] = []

  function settle(next: 'none' | 'held'): void {
    clearTimeout(timer)
    unseen = undefined
    state = next
    if (next === 'held') return
    for (const tell of gone) tell()
    gone = []
  }
  function fail(text: string): void {
    if (state === 'adding') settle('none')
    events.failed(text)
  }
  kernel.listen((news) => {
    if (news.news === 'carrier' || news.address !== address || news.prefix !== vip.prefix) return
    here = news.here
    foreign = news.here && news.lasting && (vip.family === 6 || news.label !== labelOf(kernel.name))
    if (news.here) {
      unseen = undefined
      if (state === 'adding' && !foreign) {
        settle('held')
        events.added()
      } else if (state === 'none' && !foreign) {
        // Left by a guard that was killed, or brought back by an order that hung: nobody renews it, and nobody may
        // serve on it meanwhile.
        remove(TRIES)
      }
      return
    }
    if (state !== 'held' && state !== 'removing') return
    settle('none')
    events.removed()
  })

  function order(verb: string): void {
    unseen ??= monotonic()
    until = monotonic() + lease
    if (!kernel.order(`addr ${verb} ${whole}${label}${lifetime}`, fail)) fail('ip takes no orders')
  }
  function remove(tries: number): void {
    clearTimeout(timer)
    state = 'removing'
    kernel.order(`addr del ${whole}`, () => {
      // It was gone already.
      if (state === 'removing') {
        settle('none')
        events.removed()
      }
    })
    timer = setTimeout(() => {
      if (tries > 1) {
        kernel.dropOrders()
        remove(tries - 1)
        return
      }
      events.trouble(`the kernel did not confirm that ${address} is removed; its lease ends it`)
      settle('none')
      events.removed()
    }, CONFIRM_MS)
  }

  const settled = (): Promise<void> =>
    state === 'removing' ? new Promise((resolve) => gone.push(resolve)) : Promise.resolve()

  return {
    add() {
      if (state === 'held') {
        events.added()
        return
      }
      if (foreign) {
        fail(`${address} is on ${kernel.name} already, and not by twinline`)
        return
      }
      clearTimeout(timer)
      state = 'adding'
      order('replace')
      timer = setTimeout(() => {
        kernel.dropOrders()
        fail('the kernel did not confirm the address in time')
        remove(1)
      }, CONFIRM_MS * 2)
    },
    renew() {
      const now = monotonic()
      if (state !== 'held' || now >= until) return
      if (unseen !== undefined && now - unseen > lease / 2) {
        kernel.dropOrders()
        unseen = undefined
        events.trouble('ip did not carry out a renewal for half a lease: started anew')
      }
      order('change')
    },
    remove() {
      if (state !== 'removing') remove(TRIES)
    },
    here: () => here && !foreign,
    settled,
    close() {
      if (state === 'none') return Promise.resolve()
      if (state !== 'removing') remove(TRIES)
      return settled()
    },
  }
}
