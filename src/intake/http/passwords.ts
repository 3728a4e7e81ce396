/**
 * Passwords as they are kept: argon2id (RFC 9106) with 19 MiB and two passes, the least that OWASP's password storage
 * cheat sheet names, written as a PHC string. One is computed at a time, so that a flood of guesses costs the appliance
 * one thread and one such piece of memory, and not its messages.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Problem } from './problems.ts'

const derive = promisify(argon2)

const MEMORY_KIB = 19_456
const PASSES = 2
const LENGTH = 32
/** Computations that wait for their turn; at some 50 to 250 ms each, the last waits for seconds already. */
const MOST_WAITING = 20

let turn: Promise<unknown> = Promise.resolve()
let waiting = 0

/** Letters that look the same are the same, however a keyboard writes them (RFC 8265 4.2). */
const plain = (password: string): string => password.normalize('NFC')

/** @throws Problem 503 `busy` */
async function compute(password: string, salt: Buffer): Promise<Buffer> {
  if (waiting >= MOST_WAITING)
    throw new Problem(503, 'busy', 'too many people log in at this moment; try again in a few seconds')
  waiting += 1
  const mine = turn.then(() =>
    derive('argon2id', {
      message: plain(password),
      nonce: salt,
      parallelism: 1,
      tagLength: LENGTH,
      memory: MEMORY_KIB,
      passes: PASSES,
    }),
  )
  turn = mine.catch(() => {})
  try {
    return await mine
  } finally {
    waiting -= 1
  }
}

const encode = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')

/** @throws Problem 503 `busy` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await compute(password, salt)
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${encode(salt)}$${encode(hash)}`
}

const written = new RegExp(
  `^\\$argon2id\\$v=19\\$m=${MEMORY_KIB},t=${PASSES},p=1\\$([A-Za-z0-9+/]+)\\$([A-Za-z0-9+/]+)$`,
)

/**
 * @param hash undefined where there is no such user: that takes as long, so that nobody learns who exists
 * @throws Problem 503 `busy`
 */
export async function isPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, salt, wanted] = written.exec(hash ?? '') ?? []
  const found = await compute(password, salt === undefined ? randomBytes(16) : Buffer.from(salt, 'base64'))
  if (wanted === undefined) return false
  const expected = Buffer.from(wanted, 'base64')
  return expected.length === found.length && timingSafeEqual(expected, found)
}
