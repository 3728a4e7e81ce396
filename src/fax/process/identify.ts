/**
 * What a fax modem is and which of its classes is used: pure, from what it said and from the profile of its family.
 */
import type { FaxLineConfig } from '#config/types.ts'
import type { FaxClass } from '../contract.ts'
import { type FaxProfile, faxProfileOf } from '../profile.ts'

/** Class 1 first: there the protocol is ours, and what goes wrong can be seen. */
const preferred: readonly FaxClass[] = ['1', '2.0', '2']

/** The profile that the configuration names, else the one that fits. */
export const profileFor = (
  { profile, profiles }: { profile?: string; profiles: readonly FaxProfile[] },
  said: readonly string[],
  usb: string,
): FaxProfile | undefined =>
  profile === undefined ? faxProfileOf(profiles, said, usb) : profiles.find(({ name }) => name === profile)

/**
 * The classes to try, best first. A modem may have a class that it does not list (ZyXEL's Class 1 with S57.4=0): the one
 * that is set is tried all the same.
 */
export function classesToTry(
  wanted: FaxLineConfig['class'],
  listed: readonly string[],
  profile: FaxProfile | undefined,
): FaxClass[] {
  if (wanted !== 'auto') return [wanted]
  const has = (one: FaxClass) => listed.includes(one)
  const known = profile?.classes.filter(has) ?? []
  return [...known, ...preferred.filter((one) => has(one) && !known.includes(one))]
}
