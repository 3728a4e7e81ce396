/** A profile that is wrong is refused with its file and key, never half used. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadProfiles } from '#lines/profile.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'twinline-profiles-'))
  const generic = join(import.meta.dirname, '../../firmware-config/modems/generic.yaml')
  writeFileSync(join(directory, 'generic.yaml'), readFileSync(generic))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const head = 'name: odd\nmatch: { manufacturer: "^odd", model: "" }\nsource: "its manual"\nproven: manual\n'
const write = (text: string) => writeFileSync(join(directory, 'odd.yaml'), text)

describe('a profile', () => {
  it('takes what it does not say from the generic one', () => {
    write(`${head}timeouts: { submit: 180s }\n`)
    const profile = loadProfiles(directory).matching('ODD', 'x')
    expect(profile).toMatchObject({
      name: 'odd',
      timeouts: { submit: 180_000, prompt: 5_000 },
      recovery: ['AT+CFUN=1,1'],
    })
    expect(loadProfiles(directory).matching('another', 'x').name).toBe('generic')
  })

  it.each([
    ['an unknown key', `${head}colour: red\n`, /odd\.yaml: colour/],
    ['a wrong duration', `${head}timeouts: { prompt: soon }\n`, /odd\.yaml: timeouts\.prompt/],
    ['a command that is none', `${head}recovery: ["reset"]\n`, /odd\.yaml: recovery\.0/],
    [
      'a quirk without a reason',
      `${head}quirks: { acknowledge: { value: true } }\n`,
      /odd\.yaml: quirks\.acknowledge/,
    ],
    ['another name than its file', head.replace('name: odd', 'name: other'), /odd\.yaml: name/],
    ['a broken expression', head.replace('"^odd"', '"("'), /odd\.yaml: match\.manufacturer/],
    ['no YAML at all', '{', /odd\.yaml/],
  ])('with %s is refused', (_what, text, message) => {
    write(text)
    expect(() => loadProfiles(directory)).toThrow(message)
  })

  it('cannot do without the generic one', () => {
    rmSync(join(directory, 'generic.yaml'))
    expect(() => loadProfiles(directory)).toThrow(/generic\.yaml/)
  })
})
