/** Fax lines in the configuration: defaults, every key, and what is refused with which words. */
import { expect, it } from 'vitest'
import { parseConfig } from '#config/load.ts'

const parse = (line: string) => parseConfig(`lines: [${line}]`, '/etc/twinline/twinline.yaml').lines[0]
const problem = (line: string): string => {
  try {
    parse(line)
  } catch (error) {
    return String(error)
  }
  return ''
}

it('has a default for everything but the port', () => {
  expect(parse('{ id: fax0, kind: fax, port: serial:///dev/ttyACM0 }')).toEqual({
    id: 'fax0',
    kind: 'fax',
    port: { scheme: 'serial', path: '/dev/ttyACM0', baud: 115_200, rtscts: false },
    disabled: false,
    class: 'auto',
    header: true,
    station: '',
    ecm: true,
    maxRate: 14400,
    resolution: 'fine',
    answer: { rings: 2, distinctive: [], callers: [], maxPages: 500, maxDuration: 7_200_000 },
    dial: { prefix: '', international: '00', national: '0' },
    retry: { busy: 180_000, noAnswer: 300_000, protocol: 60_000, tries: 3, dials: 12 },
    doNotDial: [],
    priority: 100,
  })
})

it.each([
  ['auto', 'auto'],
  ['"1"', '1'],
  ['"2"', '2'],
  ['"2.0"', '2.0'],
  // Written without quotes it is meant as it stands there.
  ['2.0', '2.0'],
])('takes the class %s', (written, read) => {
  expect(
    parse(`{ id: fax0, kind: fax, port: "serial:///dev/ttyACM0?baud=115200", class: ${written}, header: true,
      station: "+49 30 1234567", answer: { rings: 2 } }`),
  ).toMatchObject({
    id: 'fax0',
    port: { path: '/dev/ttyACM0', baud: 115_200 },
    class: read,
    header: true,
    station: '+49 30 1234567',
    answer: { rings: 2 },
  })
})

it('reads every key', () => {
  expect(
    parse(`{ id: fax0, kind: fax, port: "tcp://192.0.2.7:4001", passive: box-b, disabled: true, class: "2.0",
      header: false, station: "+49 30 1", ecm: false, maxRate: 9600, resolution: standard, priority: 7,
      profile: davicom,
      answer: { rings: 0, distinctive: [RING 2], callers: ["+4930*"], maxPages: 20, maxDuration: 30m },
      dial: { prefix: "0,", country: "49", international: "000", national: "" },
      retry: { busy: 1m, noAnswer: 2m, protocol: 3s, tries: 1, dials: 2 },
      doNotDial: [{ from: "22:00", until: "06:30", zone: Europe/Berlin, except: 0 }] }`),
  ).toMatchObject({
    passive: 'box-b',
    disabled: true,
    class: '2.0',
    station: '+49 30 1',
    maxRate: 9600,
    answer: { rings: 0, distinctive: ['RING 2'], callers: ['+4930*'], maxPages: 20, maxDuration: 1_800_000 },
    dial: { prefix: '0,', country: '49', international: '000', national: '' },
    retry: { busy: 60_000, noAnswer: 120_000, protocol: 3_000, tries: 1, dials: 2 },
    doNotDial: [{ from: 1_320, until: 390, zone: 'Europe/Berlin', except: 0 }],
    priority: 7,
    profile: 'davicom',
  })
})

it.each([
  ['class: "3"', /class .*allowed: auto, 1, 2, 2\.0/],
  ['station: "Meier GmbH"', /station .*up to 20 digits/],
  ['maxRate: 33600', /maxRate .*allowed: 2400, 4800/],
  ['answer: { rings: 99 }', /answer\.rings .*from 0 to 20/],
  ['answer: { maxPages: 0 }', /answer\.maxPages .*from 1 to 500/],
  ['answer: { maxDuration: 10s }', /answer\.maxDuration .*from 5m to 1d/],
  ['answer: { callers: [Anna] }', /answer\.callers\[0\] .*write a number/],
  ['dial: { country: "+49" }', /dial\.country .*without \+/],
  ['retry: { tries: 0 }', /retry\.tries .*from 1 to 100/],
  ['doNotDial: [{ from: "22:00", until: "22:00", zone: UTC }]', /doNotDial\[0\]\.until .*must end/],
  ['doNotDial: [{ from: "22:00", until: "6:00", zone: Mars }]', /zone .*time zone/],
  ['smsc: "+491"', /smsc .*unknown key/],
  ['profile: davicon', /profile .*allowed: conexant-cx930, davicom, .*did you mean davicom\?/],
  ['profile: ../gsm', /profile .*allowed: conexant-cx930/],
])('refuses %s', (keys, expected) => {
  expect(problem(`{ id: fax0, kind: fax, port: serial:///dev/x, ${keys} }`)).toMatch(expected)
})

it('has no simulated fax modem', () => {
  expect(problem('{ id: fax0, kind: fax, port: "sim://gsm" }')).toMatch(/port .*no simulated fax modem/)
})
