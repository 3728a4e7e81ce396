/** What a Class 1 modem says to ATD, in the words and with the rule that it deserves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openClass1 } from '#fax/class1/class1-modem.ts'
import { encode } from '#fax/coding/encode.ts'
import { blankBitmap } from '#fax/coding/rows.ts'
import { writeTiff } from '#fax/tiff.ts'
import { scriptedModem } from '../scripted-modem.ts'

test.each([
  ['BUSY', 'fax-busy'],
  ['NO ANSWER', 'fax-no-answer'],
  ['NO CARRIER', 'fax-no-carrier'],
  ['NO DIAL TONE', 'fax-no-dial-tone'],
  // A carrier that is not V.21: a data modem, or a machine in the middle of something else.
  ['+FCERROR', 'fax-no-machine'],
  ['ERROR', 'fax-modem'],
  ['BLACKLISTED', 'fax-modem'],
])('%s', async (code, failure) => {
  const directory = mkdtempSync(join(tmpdir(), 'dialling-'))
  try {
    const file = join(directory, 'page.tif')
    const data = encode('MMR', blankBitmap(1728, 10))
    writeFileSync(file, writeTiff([{ width: 1728, rows: 10, resolution: 98, data }]))
    const { port, commands } = scriptedModem((said) => (said.startsWith('ATD') ? code : undefined))
    const result = await openClass1(port, { station: '', ecm: true, maxRate: 14400 }).call(
      { number: '+49 30 1', file, pages: 1, from: 0 },
      { intend: async () => undefined, confirmed: () => {}, progress: () => {} },
      new AbortController().signal,
    )
    expect(result).toMatchObject({ result: 'failed', failure, confirmed: 0 })
    expect(commands.slice(-2)).toEqual(['ATH', 'AT+FCLASS=0'])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
