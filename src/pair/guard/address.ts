/** Which driver enforces the lease of the common address. */
import type { AddressDriver, AddressOptions } from './address-driver.ts'
import { addressIproute2 } from './address-iproute2.ts'
import { addressNft } from './address-nft.ts'

/** @returns undefined when nothing is added here (drivers `external` and `none`) */
export function addressDriver(options: AddressOptions): AddressDriver | undefined {
  switch (options.vip.driver) {
    case 'iproute2':
      return addressIproute2(options, Math.max(1, Math.round(options.lease / 1000)), options.lease)
    case 'nft':
      return addressNft(options)
    case 'external':
    case 'none':
      return undefined
  }
}
