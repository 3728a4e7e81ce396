/** The programs of the system that fax lines need, and which of them are not here. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

export interface Program {
  program: string
  /** The Debian package that has it. */
  pack: string
}

const needed: readonly Program[] = [
  { program: 'gs', pack: 'ghostscript' },
  { program: 'prlimit', pack: 'util-linux' },
  { program: 'setpriv', pack: 'util-linux' },
  { program: 'chrt', pack: 'util-linux' },
  { program: 'tiff2pdf', pack: 'libtiff-tools' },
]

export const missingPrograms = (): Program[] => needed.filter(({ program }) => !installed(program))

export const installed = (program: string): boolean =>
  (process.env['PATH'] ?? '/usr/bin:/bin').split(':').some((directory) => usable(join(directory, program)))

function usable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
