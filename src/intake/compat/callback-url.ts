/** Where a client of a foreign interface wants to be told what becomes of its message. */
import { Problem } from '../http/problems.ts'

const LONGEST = 2_000

/** @throws Problem when it is no http or https URL; Kannel's escapes in it are no mistake */
export function callbackUrl(url: string, field: string): string {
  const clean = /^https?:\/\/[^/?#\s]/i.test(url) && URL.canParse(url) && !/[\s\p{Cc}]/u.test(url)
  if (clean && url.length <= LONGEST) return url
  throw new Problem(
    400,
    'invalid-callback',
    `${field} must be a URL of at most ${LONGEST} characters that begins with http:// or https://`,
    { field },
  )
}
