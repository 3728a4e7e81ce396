/**
 * Everything about the common address that the guard does to the box: interface, driver, announcements, questions to
 * the network. Without a `vip` there is no interface to watch, and the answers are those of a box that is connected.
 */
import type { PairConfig } from '#config/types.ts'
import { addressDriver } from './address.ts'
import type { AddressDriver, AddressEvents } from './address-driver.ts'
import { openInterface } from './kernel-interface.ts'
import { openNeighbour } from './neighbour.ts'
import { resetSockets } from './sockets.ts'

export interface CommonAddress {
  add(): void
  renew(): void
  /** Resets the connections on it, then deletes it. */
  remove(): void
  announce(): void
  /** @returns the hardware address of a stranger who has it; undefined when it is free */
  probe(): Promise<string | undefined>
  router(): Promise<boolean>
  here(): boolean
  /** What an earlier guard left is gone. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

export interface CommonAddressEvents extends AddressEvents {
  carrier(up: boolean): void
}

export function openCommonAddress(pair: PairConfig, events: CommonAddressEvents): CommonAddress {
  const { vip } = pair
  if (vip === undefined) return nowhere()
  const kernel = openInterface(vip.interface, events.carrier, events.trouble)
  const driver = addressDriver({ vip, lease: pair.profile.lease, kernel, events })
  const neighbour = openNeighbour(vip.interface, vip.address, pair.lan?.router, events.trouble)
  return {
    add: () => driver?.add(),
    renew: () => driver?.renew(),
    remove() {
      if (driver) resetSockets(vip.address).then(driver.remove, driver.remove)
    },
    announce: neighbour.announce,
    async probe() {
      const answer = await neighbour.probe()
      if (answer === 'failed') events.trouble('the network could not be asked who has the address')
      return answer === 'free' || answer === 'failed' ? undefined : answer
    },
    router: neighbour.router,
    here: () => driver?.here() ?? false,
    ready: kernel.ready.then(() => leftOverGone(driver)),
    async close() {
      await driver?.close()
      await Promise.all([neighbour.close(), kernel.close()])
    },
  }
}

/** What the driver found, it is removing by now. */
async function leftOverGone(driver: AddressDriver | undefined): Promise<void> {
  await driver?.settled()
}

const nowhere = (): CommonAddress => ({
  add() {},
  renew() {},
  remove() {},
  announce() {},
  probe: () => Promise.resolve(undefined),
  router: () => Promise.resolve(true),
  here: () => false,
  ready: Promise.resolve(),
  close: () => Promise.resolve(),
})
