/**
 * First-run setup: no password comes with an appliance, so while it knows no user it makes a code at each start, says it
 * on the console and in the log (whoever reads those owns the box), and takes it once for the first administrator.
 */
import { randomInt, timingSafeEqual } from 'node:crypto'
import type { Users } from './users.ts'

export interface Setup {
  /** The code to be typed in; undefined once there is a user, of this member or of its pair. */
  code(): string | undefined
  /** Whether this is the code, however it was typed. */
  fits(typed: string): boolean
}

/** Without characters that are taken for one another: 32 of them, so eight are 40 bits. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const LENGTH = 8

const letters = (text: string): Buffer => Buffer.from(text.toUpperCase().replaceAll(/[^A-Z0-9]/g, ''))

export function createSetup(users: Pick<Users, 'list'>): Setup {
  const made = Array.from({ length: LENGTH }, () => alphabet[randomInt(alphabet.length)] ?? '').join('')
  const expected = Buffer.from(made)
  const code = () =>
    users.list().length === 0 ? `${made.slice(0, LENGTH / 2)}-${made.slice(LENGTH / 2)}` : undefined
  return {
    code,
    fits(typed) {
      const given = letters(typed)
      return code() !== undefined && given.length === expected.length && timingSafeEqual(given, expected)
    },
  }
}
