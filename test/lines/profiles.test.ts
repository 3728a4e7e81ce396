/**
 * Every profile that ships: it loads, keeps the rules of docs/modems.md, and known modems get the right one.
 * The answers are what the named manual or public transcript shows for AT+CGMI and AT+CGMM (or ATI).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadProfiles } from '#lines/profile.ts'

const directory = 'firmware-config/modems'
const profiles = loadProfiles(directory)
const files = readdirSync(directory)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''))

/** AT+CGMI, AT+CGMM, the profile, where the answers were seen. */
const known: readonly (readonly [string, string, string, string])[] = [
  ['SIMCOM_Ltd', 'SIMCOM_SIM800L', 'simcom-sim800', 'SIM800 Series AT Command Manual'],
  ['SIMCOM_Ltd', 'SIMCOM_SIM868', 'simcom-sim800', 'public transcript of a SIM868'],
  ['SIMCOM_Ltd', 'SIMCOM_SIM900', 'simcom-sim900', 'm2msupport.net, AT+CGMM'],
  ['SIMCOM_Ltd', 'SIMCOM_SIM7000E', 'simcom-sim7000', 'public transcript of AT+GSV'],
  ['SIMCOM_Ltd', 'SIM7080G', 'simcom-sim7000', 'SIM7070_SIM7080_SIM7090 Series AT Command Manual'],
  ['SIMCOM INCORPORATED', 'SIMCOM_SIM7600G-H', 'simcom-sim7600', 'Xinyuan-LilyGO/T-SIM7600X#85'],
  ['QUALCOMM INCORPORATED', 'SIMCOM_SIM7600E-H', 'simcom-sim7600', 'public mmcli -L transcript'],
  ['INCORPORATED', 'A7670E-FASE', 'simcom-a7600', 'Xinyuan-LilyGO/LilyGO-T-A76XX#245'],
  ['SIMCOM INCORPORATED', 'A7670G-LLSE', 'simcom-a7600', 'LilyGo-Modem-Series examples'],
  ['Quectel_Ltd', 'Quectel_M95', 'quectel-m95', 'oFono plugins/quectel, public transcript of ATI'],
  ['Quectel_Ltd', 'Quectel_MC60', 'quectel-m95', 'Quectel MC60 Series AT Commands Manual'],
  ['Quectel', 'UC20', 'quectel-uc20', 'Quectel UC20 AT Commands Manual'],
  ['Quectel', 'EC25', 'quectel-ec25', 'Quectel EC25&EC21 AT Commands Manual'],
  ['Quectel', 'EC21', 'quectel-ec25', 'Quectel EC25&EC21 AT Commands Manual'],
  ['Quectel', 'EG25', 'quectel-ec25', 'the-modem-distro/pinephone_modem_sdk'],
  ['Quectel', 'BG96', 'quectel-bg96', 'Quectel BG96 AT Commands Manual'],
  ['Quectel', 'BG95-M3', 'quectel-bg96', 'Quectel BG95&BG77 Series AT Commands Manual'],
  ['huawei', 'E1550', 'huawei-stick', 'ModemManager src/tests/test-modem-helpers.c'],
  ['huawei', 'E173', 'huawei-stick', 'HUAWEI UMTS Datacard Modem AT Command Interface Specification'],
  ['huawei', 'E3372', 'huawei-stick', 'HUAWEI LTE stick AT command interface'],
  ['Huawei Technologies Co., Ltd.', 'ME909s-120', 'huawei-me909', 'public transcript of ATI'],
  ['Sierra Wireless, Incorporated', 'MC7455', 'sierra-mc7455', 'public transcript of ATI'],
  ['Sierra Wireless, Incorporated', 'MC7304', 'sierra-mc7455', 'AirPrime MC73xx/8805 AT Command Reference'],
  ['Sierra Wireless, Incorporated', 'WP7607', 'sierra-wp76', 'public transcript of ATI9'],
  ['Sierra Wireless', 'HL8548', 'sierra-hl', 'AirPrime HL6 and HL8 Series AT Commands Interface Guide'],
  ['Sierra Wireless', 'HL7549', 'sierra-hl', 'AirPrime HL7549 AT Commands Interface Guide'],
  ['Sierra Wireless', 'HL7800', 'sierra-hl78', 'AirPrime HL78xx AT Commands Interface Guide'],
  ['Telit', 'GE910-QUAD', 'telit-ge910', 'Telit AT Commands Reference Guide 80000ST10025a'],
  ['Telit', 'HE910-D', 'telit-he910', 'public transcript of a HE910-D'],
  ['Telit', 'LE910-EUG', 'telit-le910', 'Telit LE910 AT Commands Reference Guide'],
  ['Telit', 'LE910C1-EU', 'telit-le910', 'Telit LE910Cx AT Commands Reference Guide'],
  ['u-blox', 'SARA-G350', 'ublox-sara-g', 'ModemManager src/plugins/ublox/mm-modem-helpers-ublox.c'],
  ['u-blox', 'SARA-U270', 'ublox-sara-u2', 'ModemManager src/plugins/ublox/mm-modem-helpers-ublox.c'],
  ['u-blox', 'LARA-R211', 'ublox-lara-r2', 'ModemManager src/plugins/ublox/mm-modem-helpers-ublox.c'],
  ['u-blox', 'TOBY-L210', 'ublox-lara-r2', 'ModemManager src/plugins/ublox/mm-modem-helpers-ublox.c'],
  ['u-blox', 'SARA-R410M-02B', 'ublox-sara-r4', 'ModemManager src/plugins/ublox/mm-modem-helpers-ublox.c'],
  ['twinline', 'Simulated GSM', 'generic', 'src/simulator'],
  ['Siemens', 'MC35i', 'generic', 'Siemens MC35i AT Command Set'],
]

describe('known modems', () => {
  test.each(known)('%s %s gets %s', (manufacturer, model, name) => {
    expect(profiles.matching(manufacturer, model).name).toBe(name)
  })

  test.each(known)('no second profile claims %s %s', (manufacturer, model, name) => {
    const claiming = profiles.names.filter((candidate) => {
      const match = profiles.named(candidate)?.match
      return candidate !== 'generic' && match?.manufacturer.test(manufacturer) && match.model.test(model)
    })
    expect(claiming).toEqual(name === 'generic' ? [] : [name])
  })

  test('every profile has a modem in the table', () => {
    expect(new Set(known.map(([, , name]) => name))).toEqual(new Set(files))
  })
})

describe.each(files)('%s', (name) => {
  const profile = profiles.named(name)

  test('is loaded, names its source and says what it is proven on', () => {
    expect(profile?.name).toBe(name)
    expect(profile?.source.length).toBeGreaterThan(10)
    expect(profile?.proven).toBe(name === 'generic' ? 'simulator' : 'manual')
  })

  test('waits long enough, and not for ever', () => {
    const { command, prompt, submit, boot, network } = profile?.timeouts ?? {}
    for (const time of [command, prompt]) expect(time).toSatisfy((ms: number) => ms >= 1_000 && ms <= 30_000)
    // TR1M of 3GPP TS 24.011 is 35 to 45 s: whoever gives up sooner may miss an answer that is still coming.
    expect(submit).toSatisfy((ms: number) => ms >= 45_000 && ms <= 180_000)
    for (const time of [boot, network]) expect(time).toSatisfy((ms: number) => ms >= 10_000 && ms <= 300_000)
  })

  test('asks for messages and reports to be announced', () => {
    expect(profile?.indications).toMatch(/^AT\+CNMI=2,1,0,[12],0$/)
  })

  test('can reset the modem, and neither starts nor resets it while preparing', () => {
    expect(profile?.recovery.length).toBeGreaterThan(0)
    for (const { command } of profile?.init ?? []) expect(command).not.toMatch(/CFUN|RESET|REBOOT|\^RESET|&W/)
  })

  test('takes no line both for a start and for chatter, and ignores nothing that matters', () => {
    const matters = [
      '+CMTI: "SM",1',
      '+CMT: ,23',
      '+CDS: 25',
      '+CDSI: "SM",1',
      '+CMGS: 1',
      'OK',
      'ERROR',
      'RING',
    ]
    for (const start of profile?.ignore ?? []) {
      expect(profile?.boot.some((boot) => boot.startsWith(start) && !start.startsWith('^SIMST'))).toBe(false)
      expect(matters.filter((line) => line.startsWith(start))).toEqual([])
    }
  })

  test('is described in docs/modems.md', () => {
    expect(readFileSync('docs/modems.md', 'utf8')).toContain(`| \`${name}\` |`)
  })
})
