/** The configuration file edited by a program: comments stay, secrets stay hidden, and the old file comes back. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { maskedKeys, maskedText } from '#config/masking.ts'
import { edited } from '#config/own-edit.ts'
import { confirmOwnFile, putBackOwnFile, replaceOwnFile, trialUntil } from '#config/own-file.ts'
import { fileVersions, historyOf, KEPT } from '#config/own-history.ts'
import { counterparts } from '#config/own-merge.ts'

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
    expect(textAfter({ 'mail.url': 'smtps://box:***@mail.example.org:25' })).toContain(
      'url: "smtps://box:hunter2@mail.example.org:25"',
    )
    // Nobody can have the password sent to another server, or as another user's.
    for (const url of ['smtps://box:***@mail.example.com:465', 'smtps://ann:***@mail.example.org:465', '***'])
      expect(edit({ 'mail.url': url })).toMatchObject({ problems: [{ path: 'mail.url' }] })
    expect(
      edit({ mail: { url: 'smtps://box:***@mail.example.org:465', from: 'x@example.org' } }),
    ).toMatchObject({
      diff: [{ path: 'mail.from' }],
    })
    expect(edit({ 'lines[1].pin': '***' })).toMatchObject({ problems: [{ path: 'lines[1].pin' }] })
    expect(edit({ 'lines[2]': { id: 'x', kind: 'gsm', port: 'sim://gsm', pin: '***' } })).toMatchObject({
      problems: [{ path: 'lines[2].pin' }],
    })
    expect(edit({ 'lines[0].pin': '***' })).toMatchObject({ diff: [] })
    const fresh = edit({ 'lines[0].pin': '1111' })
    expect(fresh).toMatchObject({ diff: [{ path: 'lines[0].pin', before: '***', after: '***' }] })
    expect(textAfter({ 'lines[0].pin': '1111' })).toContain('pin: "1111"')
  })

  test('a list given whole keeps what stays: comments, secrets, and to the letter', () => {
    const [first, second] = [
      { id: 'gsm0', kind: 'gsm', port: 'sim://gsm', pin: '***' },
      { id: 'gsm1', kind: 'gsm', port: 'sim://gsm' },
    ]
    expect(edit({ lines: [first, second] })).toMatchObject({ diff: [] })
    const swapped = textAfter({ lines: [second, first] })
    expect(swapped).toMatch(/id: gsm1[\s\S]*# spare[\s\S]*id: gsm0.*"0042".*# ask Ann for the PIN/)
    // Another id or another port is the same line still, and its PIN goes with it.
    const renamed = textAfter({ lines: [second, { ...first, id: 'main' }] })
    expect(renamed).toContain('{ id: main, kind: gsm, port: "sim://gsm", pin: "0042" } # ask Ann for the PIN')
    const moved = edit({ lines: [{ ...first, port: 'tcp://192.0.2.7:4001' }, second] })
    expect(moved).toMatchObject({ diff: [{ path: 'lines[0].port', after: 'tcp://192.0.2.7:4001' }] })
    const removed = edit({ lines: [second] })
    expect(removed).toMatchObject({ diff: [{ path: 'lines', before: [first, second], after: [second] }] })
    const wrong = edit({ lines: [first, { ...second, port: 'usb:1' }, { kind: 'fax' }] })
    expect(wrong).toMatchObject({ problems: [{ path: 'lines[1].port' }, { path: 'lines[2].id' }, {}] })
    const stranger = { ...first, id: 'other', port: 'tcp://192.0.2.9:1' }
    expect(edit({ lines: [second, { ...stranger, kind: 'fax' }] })).toMatchObject({
      problems: [{ path: 'lines[1].pin' }],
    })
    expect(textAfter({ lines: [] })).toContain('[]')
  })

  test('a section goes when its last key does, and numbers stay as they are written', () => {
    const vip = { 'pair.vip': { address: '192.0.2.9/24', interface: 'eth0' } }
    const result = edited(
      textAfter(vip),
      [
        { path: 'pair.vip.address', value: undefined },
        { path: 'pair.vip.interface', value: undefined },
      ],
      '/tmp/twinline.yaml',
    )
    expect('text' in result && result.text).toBe(
      text.replace('pair:\n', 'pair:\n  listen: 127.0.0.1:18883\n'),
    )
    expect(maskedKeys('a: +4917\nb: 00021\nc: 7\nd: 1.50')).toEqual({
      a: '+4917',
      b: '00021',
      c: 7,
      d: '1.50',
    })
  })

  test('what an entry was: itself, of the same id, or the likest', () => {
    const a = { id: 'a', x: 1, y: 2 }
    const b = { id: 'b', x: 1, y: 2 }
    expect(counterparts([a, b], [b, a])).toEqual([1, 0])
    expect(counterparts([a, b], [{ ...b, y: 3 }])).toEqual([1])
    expect(counterparts([a, b], [{ ...b, id: 'c' }, a])).toEqual([1, 0])
    expect(counterparts([a], [{ id: 'z', x: 5 }])).toEqual([undefined])
    expect(counterparts([a, a], [a, a, a])).toEqual([0, 1, undefined])
    expect(counterparts(['x', 'y'], ['y', 'z'])).toEqual([1, undefined])
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
  const by = { author: 'user:ann', at: 1_000 }
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'own-file-'))
    file = join(directory, 'twinline.yaml')
    writeFileSync(file, 'node: old\n', { mode: 0o640 })
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test('is replaced whole and keeps its mode; the one before stays beside it', () => {
    replaceOwnFile(file, 'node: new\n', undefined, by)
    expect(readFileSync(file, 'utf8')).toBe('node: new\n')
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(readFileSync(`${file}.before`, 'utf8')).toBe('node: old\n')
    expect(trialUntil(file)).toBeUndefined()
    expect(confirmOwnFile(file)).toBe(false)
  })

  test('on trial it is put back, or confirmed', () => {
    replaceOwnFile(file, 'node: new\n', 1_234, by)
    expect(trialUntil(file)).toBe(1_234)
    putBackOwnFile(file, { author: 'rollback', at: 2_000 })
    expect(readFileSync(file, 'utf8')).toBe('node: old\n')
    expect(trialUntil(file)).toBeUndefined()
    replaceOwnFile(file, 'node: new\n', 1_234, by)
    expect(confirmOwnFile(file)).toBe(true)
    expect(existsSync(`${file}.trial`)).toBe(false)
    expect(readFileSync(file, 'utf8')).toBe('node: new\n')
  })

  test('is put back even where its history cannot be written', () => {
    replaceOwnFile(file, 'node: new\n', 1_234, by)
    rmSync(historyOf(file), { recursive: true })
    writeFileSync(historyOf(file), 'a file where the directory was')
    putBackOwnFile(file, { author: 'rollback', at: 2_000 })
    expect(readFileSync(file, 'utf8')).toBe('node: old\n')
    expect(trialUntil(file)).toBeUndefined()
  })

  test('remembers who changed what, what was done by hand too, and only so many', () => {
    replaceOwnFile(file, 'node: new\n', 1_234, by)
    putBackOwnFile(file, { author: 'rollback', at: 2_000 })
    writeFileSync(file, 'node: edited\n')
    replaceOwnFile(file, 'node: last\n', undefined, { author: 'user:bob', at: 3_000 })
    const told = fileVersions(file).map(({ id, author, before, after }) => [id, author, before, after])
    expect(told).toEqual([
      ['000004', 'user:bob', 'node: edited\n', 'node: last\n'],
      ['000003', 'by-hand', 'node: old\n', 'node: edited\n'],
      ['000002', 'rollback', 'node: new\n', 'node: old\n'],
      ['000001', 'user:ann', 'node: old\n', 'node: new\n'],
    ])
    expect(fileVersions(file)[0]?.at).toBe(3_000)
    expect(fileVersions(file)[0]?.changes).toEqual([{ path: 'node', before: 'edited', after: 'last' }])
    for (let n = 0; n < KEPT + 5; n += 1) replaceOwnFile(file, `node: n${n}\n`, undefined, by)
    const kept = fileVersions(file)
    expect(kept).toHaveLength(KEPT)
    expect(kept[0]).toMatchObject({ id: '000029', after: `node: n${KEPT + 4}\n` })
    expect(statSync(historyOf(file)).mode & 0o777).toBe(0o700)
    writeFileSync(join(historyOf(file), '000029.json'), 'garbage')
    expect(fileVersions(file)).toHaveLength(KEPT - 1)
  })

  test('a marker that cannot be read is one whose time is over', () => {
    writeFileSync(`${file}.trial`, 'garbage')
    expect(trialUntil(file)).toBe(0)
  })
})
