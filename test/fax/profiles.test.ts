/**
 * Every profile of a fax modem that ships: it loads, keeps the rules of docs/fax-modems.md, and known modems get the right one.
 * The words are what the named manual, configuration file or transcript shows for AT+GMI, AT+GMM, ATI or ATI3.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { classesToTry, profileFor } from '#fax/process/identify.ts'
import { faxProfileOf, loadFaxProfiles } from '#fax/profile.ts'
import { usbIdOf } from '#lines/usb-id.ts'

const profiles = loadFaxProfiles('firmware-config/modems')
const described = readFileSync('docs/fax-modems.md', 'utf8')
const files = readdirSync('firmware-config/modems/fax').map((file) => file.replace('.yaml', ''))

/** What it says, the profile, where that was seen. */
const known: readonly (readonly [string, string, string])[] = [
  ['CX93001-EIS_V0.2002-V92', 'conexant-cx930', 'AT0myks/pycallblock#3, ATI3'],
  ['CONEXANT', 'conexant-cx930', 'Conexant 102752C, +GMI'],
  ['U.S. Robotics 56K FAX USB V1.2.23', 'usr-usb', 'ATI3 of a USR5637'],
  ['Courier V.Everything', 'usr-courier', 'HylaFAX config/usr-xon'],
  ['Sportster 33600', 'usr-courier', 'HylaFAX config/usr-xon'],
  ['USRobotics', 'usr-courier', 'HylaFAX config/usr-2.0'],
  ['LT V.92 1.0 MT5634ZBA-V92 Serial Data/Fax', 'multitech-mt5634', 'HylaFAX config/lucent'],
  ['ISI5634PCI', 'multitech-mt5634', 'HylaFAX config/lucent-mt-20'],
  ['MT9234ZBA', 'multitech-mt9234', 'Multi-Tech S000434D'],
  ['MT5600ZDX', 'multitech-mt5600', 'HylaFAX config/conexant-1.0'],
  ['Zoom Telephonics Model 3095F USB MODEM', 'zoom-3095', 'Linux cdc-acm.c'],
  ['Si2435', 'silabs-isomodem', 'HylaFAX+ config/silabs-10'],
  ['LT V.92 Data+Fax Modem Version 8.31', 'lucent-agere', 'HylaFAX config/lucent'],
  ['RC32ACL', 'rockwell-rc', 'mgetty modems.db, AT+FMDL?'],
  ['ROCKWELL', 'rockwell-rc', 'Rockwell 1048, +FMFR?'],
  ['RCV144DPi Rev CA', 'rockwell-rc', 'mgetty modems.db, ATI6'],
  ['ZyXEL U-336E', 'zyxel', 'ZyXEL U-336E manual'],
  ['DAVICOM', 'davicom', 'HylaFAX config/davicom-2'],
]

describe('known fax modems', () => {
  test.each(known)('%s is %s', (said, name) => {
    expect(faxProfileOf(profiles, ['', said], '')?.name).toBe(name)
    const claiming = profiles.filter(({ match }) =>
      match.some((pattern) => new RegExp(pattern, 'i').test(said)),
    )
    expect(claiming.map((profile) => profile.name)).toEqual([name])
  })

  test('every profile has a modem in the table', () => {
    expect(new Set(known.map(([, name]) => name))).toEqual(new Set(files))
    expect(profiles.map(({ name }) => name)).toEqual(files)
  })

  test('a modem that says nothing of use is known by its USB device, and one USB device is in one profile', () => {
    expect(faxProfileOf(profiles, ['56000'], '0572:1349')?.name).toBe('conexant-cx930')
    expect(faxProfileOf(profiles, ['56000'], '')).toBeUndefined()
    const ids = profiles.flatMap(({ usb }) => usb)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('the profile that the configuration names is taken, whatever the modem says', () => {
    expect(profileFor({ profile: 'davicom', profiles }, ['Si2435'], '')?.name).toBe('davicom')
    expect(profileFor({ profile: 'none', profiles }, ['Si2435'], '')).toBeUndefined()
  })

  test.each(files)('%s is described in docs/fax-modems.md', (name) => {
    expect(described.includes(`| \`${name}\` |`)).toBe(true)
  })

  test.each(profiles)('$name neither resets the modem nor writes to its memory', ({ init, proven }) => {
    for (const command of init) expect(command).not.toMatch(/^ATZ|&F|&W/)
    expect(proven).toBe('manual')
  })
})

describe('the class', () => {
  const davicom = profiles.find(({ name }) => name === 'davicom')
  const twoFirst = davicom && { ...davicom, classes: ['2', '1'] as const }

  test('is Class 1 where nothing else is known', () => {
    expect(classesToTry('auto', ['0', '1', '2', '2.0', '8'], undefined)).toEqual(['1', '2.0', '2'])
    expect(classesToTry('auto', ['0', '8'], undefined)).toEqual([])
  })

  test('is what the profile prefers of those that the modem lists', () => {
    expect(classesToTry('auto', ['0', '1', '2'], twoFirst)).toEqual(['2', '1'])
    expect(classesToTry('auto', ['0', '1', '2.0'], twoFirst)).toEqual(['1', '2.0'])
  })

  test('is the one that is set, listed or not', () => {
    expect(classesToTry('2.0', ['0', '1'], twoFirst)).toEqual(['2.0'])
  })
})

describe('a profile that is wrong', () => {
  const read = (content: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'profiles-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    mkdirSync(join(directory, 'fax'))
    writeFileSync(join(directory, 'fax', 'x.yaml'), content)
    return () => loadFaxProfiles(directory)
  }
  const good = 'name: x\nmatch: ["X1"]\nsource: "a manual"\nproven: manual\n'
  const classes = 'classes: { value: ["1"], why: "it has no other" }\n'

  test.each([
    [good, /classes/],
    [good + classes.replace('"1"', '"3"'), /classes/],
    [good.replace('"X1"', '"X("') + classes, /match/],
    [`${good + classes}speed: 5\n`, /speed/],
    [good.replace('name: x', 'name: y') + classes, /name of the file/],
  ])('is refused with its file and key: %#', (content, text) => {
    expect(read(content)).toThrow(text)
  })

  test('and one that is right is not', () => {
    expect(read(good + classes)()).toMatchObject([{ name: 'x', classes: ['1'], needsWires: false }])
  })
})

test('the USB device of a port is found by the kernel, through a converter as well', async () => {
  const root = mkdtempSync(join(tmpdir(), 'sys-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const device = join(root, 'devices', '1-1')
  mkdirSync(join(device, '1-1:1.0', 'ttyUSB0'), { recursive: true })
  writeFileSync(join(device, 'idVendor'), '06E0\n')
  writeFileSync(join(device, 'idProduct'), '0319\n')
  mkdirSync(join(root, 'tty', 'ttyUSB0'), { recursive: true })
  symlinkSync(join(device, '1-1:1.0', 'ttyUSB0'), join(root, 'tty', 'ttyUSB0', 'device'))
  const port = join(root, 'ttyUSB0')
  writeFileSync(port, '')
  symlinkSync(port, join(root, 'usb-modem'))
  expect(await usbIdOf(join(root, 'usb-modem'), join(root, 'tty'))).toBe('06e0:0319')
  expect(await usbIdOf('/dev/null', join(root, 'tty'))).toBe('')
})
