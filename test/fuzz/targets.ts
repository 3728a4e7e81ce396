/** Every way in that `npm run fuzz` feeds. */
import { mail } from './mail.ts'
import type { FuzzTarget } from './target.ts'

export const fuzzTargets: readonly FuzzTarget[] = [mail]
