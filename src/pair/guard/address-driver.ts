/**
 * What the guard may do with the common address, whatever enforces its lease. The lease is the kernel's: an address
 * that is not renewed goes away by itself, even when this process is frozen or dead. No driver renews an address that
 * it did not add, nor after the lease has passed: the kernel would bring it back.
 */
import type { VirtualIp } from '#config/types.ts'
import type { KernelInterface } from './kernel-interface.ts'

export interface AddressEvents {
  added(): void
  /** It is gone: because it was removed, by the kernel, or by somebody. */
  removed(): void
  /** It could not be added or renewed. */
  failed(text: string): void
  trouble(text: string): void
}

export interface AddressDriver {
  add(): void
  renew(): void
  remove(): void
  /** The kernel shows it, and its lease runs. */
  here(): boolean
  /** Nothing is being removed (any more). */
  settled(): Promise<void>
  /** Removes what is left of it, waits until it is gone. */
  close(): Promise<void>
}

export interface AddressOptions {
  vip: VirtualIp
  /** ms. */
  lease: number
  kernel: KernelInterface
  events: AddressEvents
}
