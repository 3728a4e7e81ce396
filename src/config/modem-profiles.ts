/**
 * The profiles of modems that come with this program, by name (docs/modems.md, docs/fax-modems.md): a line that names
 * another one is refused before it starts. What they say is read by lines/profile.ts and fax/profile.ts.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Those of mobile modems; those of fax modems are in `fax` below it. */
export const profileDirectory = join(import.meta.dirname, '..', '..', 'firmware-config', 'modems')

const places = { gsm: profileDirectory, fax: join(profileDirectory, 'fax') } as const
const SUFFIX = '.yaml'

/** Each is a file of its name. */
export const profileNames = (kind: keyof typeof places): string[] =>
  readdirSync(places[kind])
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort()
