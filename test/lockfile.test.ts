/**
 * A fresh clone installs with `npm ci`, which refuses a lockfile in which any package that is asked for is missing, even
 * one for another platform. `npm install` leaves those out silently where a registry does not offer them.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Entry {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

test('the lockfile holds every package that one of its packages asks for', () => {
  const lock: { packages: Record<string, Entry> } = JSON.parse(
    readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'),
  )
  const missing: string[] = []
  for (const [path, { dependencies, optionalDependencies }] of Object.entries(lock.packages)) {
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!places(path, name).some((place) => place in lock.packages)) missing.push(`${path} → ${name}`)
    }
  }
  expect(missing).toEqual([])
})

/** Where Node would look for a package, from the inside out. */
function places(path: string, name: string): string[] {
  const folders = [path]
  for (let at = path; at !== ''; ) {
    at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))
    folders.push(at)
  }
  return folders.map((folder) => `${folder === '' ? '' : `${folder}/`}node_modules/${name}`)
}
