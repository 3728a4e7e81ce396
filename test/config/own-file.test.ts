/** The configuration file edited by a program: comments stay, secrets stay hidden, and the old file comes back. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  confirmOwnFile,
  edited,
  maskedKeys,
  maskedText,
  putBackOwnFile,
  replaceOwnFile,
  trialUntil,
} from '#config/own-file.ts'

const text = `# box in the cellar
node: box-a # as on its label
lines:
  # the stick
  - { id: gsm0, kind: gsm, port: "sim://gsm", pin: "0042" } # ask Ann for the PIN
  - id: gsm1
    kind: gsm
    port: sim://gsm # spare
mail: { url: "smtps://box:hunter2@mail.example.org:465", from: box@example.org }
pair:
`

const edit = (changes: Record<string, unknown>) =>
  edited(
    text.replace('pair:\n', 'pair:\n  listen: 127.0.0.1:18883\n'),
    Object.entries(changes).map(([path, value]) => ({ path, value: value ?? undefined })),
    '/tmp/twinline.yaml',
  )
const textAfter = (changes: Record<string, unknown>): string => {
  const result = edit(changes)
  return 'text' in result ? result.text : JSON.stringify(result.problems)
}

describe('the file as a text', () => {
  test('shows no secret and is otherwise the same to the letter', () => {
    const shown = maskedText(text)
    expect(shown).toBe(text.replace('"0042"', '***').replace('hunter2', '***'))
    expect(JSON.stringify(maskedKeys(text))).not.toMatch(/0042|hunter2/)
    expect(maskedText('lines: [ {pin: 1234\nmail: { password: x')).not.toMatch(/1234|: x/)
  })

  test('a change touches its place and nothing else', () => {
    expect(textAfter({ 'lines[1].port': 'tcp://192.0.2.7:4001' })).toBe(
      text
        .replace('port: sim://gsm # spare', 'port: tcp://192.0.2.7:4001 # spare')
        .replace('pair:\n', 'pair:\n  listen: 127.0.0.1:18883\n'),
    )
    expect(textAfter({ node: 'box-b' })).toContain('node: box-b # as on its label')
    const removed = textAfter({ 'lines[1]': null })
    expect(removed).not.toContain('gsm1')
    expect(removed).toContain('# ask Ann for the PIN')
    expect(
      textAfter({ 'pair.vip': { address: '192.0.2.9/24', interface: 'eth0' }, 'pair.priority': 150 }),
    ).toMatch(
      /pair:\n {2}listen: 127.0.0.1:18883\n {2}vip:\n {4}address: 192.0.2.9\/24\n {4}interface: eth0\n {2}priority: 150\n/,
    )
  })

  test('a masked secret that comes back stays as it is; a new one replaces it unseen', () => {
    const same = edit({ 'lines[0].pin': '***', 'mail.url': 'smtps://box:***@mail.example.org:465' })
    expect(same).toMatchObject({ problems: [{ path: 'mail.url' }] })
    expect(edit({ 'lines[0].pin': '***' })).toMatchObject({ diff: [] })
    const fresh = edit({ 'lines[0].pin': '1111' })
    expect(fresh).toMatchObject({ diff: [{ path: 'lines[0].pin', before: '***', after: '***' }] })
    expect(textAfter({ 'lines[0].pin': '1111' })).toContain('pin: "1111"')
  })

  test.each(['', 'pair..x', 'lines[x]', '__proto__.x', 'pair.listen[', '[0]', 'a b', 'lines[0].port.deeper'])(
    'a path such as %j is refused',
    (path) => {
      expect(edit({ [path]: 'x' })).toHaveProperty('problems')
      expect(({} as Record<string, unknown>)['x']).toBeUndefined()
    },
  )

  test('what the file may not hold is refused with its key', () => {
    expect(edit({ 'pair.profile': { interval: '1s', misses: 3, restart: '1m' } })).toMatchObject({
      problems: [{ path: 'pair.profile.restart' }],
    })
  })
})

describe('the file on the disk', () => {
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'own-file-'))
    file = join(directory, 'twinline.yaml')
    writeFileSync(file, 'node: old\n', { mode: 0o640 })
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test('is replaced whole and keeps its mode; the one before stays beside it', () => {
    replaceOwnFile(file, 'node: new\n', undefined)
    expect(readFileSync(file, 'utf8')).toBe('node: new\n')
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(readFileSync(`${file}.before`, 'utf8')).toBe('node: old\n')
    expect(trialUntil(file)).toBeUndefined()
    expect(confirmOwnFile(file)).toBe(false)
  })

  test('on trial it is put back, or confirmed', () => {
    replaceOwnFile(file, 'node: new\n', 1_234)
    expect(trialUntil(file)).toBe(1_234)
    putBackOwnFile(file)
    expect(readFileSync(file, 'utf8')).toBe('node: old\n')
    expect(trialUntil(file)).toBeUndefined()
    replaceOwnFile(file, 'node: new\n', 1_234)
    expect(confirmOwnFile(file)).toBe(true)
    expect(existsSync(`${file}.trial`)).toBe(false)
    expect(readFileSync(file, 'utf8')).toBe('node: new\n')
  })

  test('a marker that cannot be read is one whose time is over', () => {
    writeFileSync(`${file}.trial`, 'garbage')
    expect(trialUntil(file)).toBe(0)
  })
})
