/** The configuration from a file, or a text: complete with every default, or every reason why it cannot be used. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { errorText } from '#core/errors.ts'
import { readConfig } from './schema.ts'
import { Section } from './section.ts'
import { ConfigInvalid, Source } from './source.ts'
import type { Config } from './types.ts'

/** A configuration is a few kilobytes; whatever is larger is some other file. */
const LARGEST = 1_000_000

/** @throws ConfigInvalid (code `config-invalid`) */
export function loadConfig(file: string): Config {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigInvalid(file, [{ key: '', text: `cannot be read: ${errorText(error)}` }])
  }
  return parseConfig(text, file)
}

/**
 * @param file names the text in messages; relative paths in it start from its directory
 * @throws ConfigInvalid (code `config-invalid`)
 */
export function parseConfig(text: string, file: string): Config {
  if (text.length > LARGEST) {
    throw new ConfigInvalid(file, [{ key: '', text: 'is too large to be a configuration' }])
  }
  const source = new Source(text)
  const root = new Section(source, '', source.root())
  const config = readConfig(root, {
    directory: dirname(resolve(file)),
    hostname: hostname(),
  })
  if (source.problems.length > 0) throw new ConfigInvalid(file, source.problems)
  return config
}
