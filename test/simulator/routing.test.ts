/** Messages and reports on their way to the TE: directly, stored, acknowledged, waiting. */
import { afterEach, describe, expect, it } from 'vitest'
import { SimulatedModem } from '#simulator/modem.ts'
import { isProblem, parseModemOptions } from '#simulator/options.ts'
import { hello, Terminal } from './terminal.ts'

const modems: SimulatedModem[] = []

async function start(record: Record<string, string> = {}) {
  const options = parseModemOptions(record)
  if (isProblem(options)) throw new Error(options.problem)
  const modem = new SimulatedModem(options)
  modems.push(modem)
  const te = new Terminal(modem.connect())
  await te.command('ATE0')
  return { modem, te, network: modem.network }
}

afterEach(() => {
  for (const modem of modems.splice(0)) {
    modem.stop()
    modem.network.stop()
  }
})

describe('status reports', () => {
  it('come directly with the reference of the answer and the number', async () => {
    const { te } = await start({ reference: '7', status: '70' })
    await te.command('AT+CNMI=2,1,0,1,0')
    await te.submit(hello)
    // TP-MR 07, the number, at the end TP-Status 0x46.
    expect(await te.until(/\+CDS: 25\r\n[0-9A-F]+\r\n/)).toMatch(/06070B919471123254F6[0-9A-F]{28}46\r\n/)
  })

  it('are stored and indicated', async () => {
    const { te } = await start()
    await te.command('AT+CNMI=2,1,0,2,0')
    await te.submit(hello)
    await te.until('+CDSI: "SM",1\r\n')
    expect(await te.command('AT+CMGR=1')).toMatch(/\+CMGR: 0,,25\r\n07919471000000100600/)
    expect(await te.command('AT+CMGR=1')).toContain('+CMGR: 1,,25')
  })

  it('obey numbers, and none come where none are wanted', async () => {
    const { te, network } = await start({ reports: '30' })
    await te.command('AT+CNMI=2,1,0,1,0')
    network.behave('+49172*', { status: 0x41, reports: { min: 0, max: 0 } })
    await te.submit(hello)
    await te.until(/41\r\n/)
    network.behave('+49172*', { reports: 'none' })
    await te.submit(hello)
    await te.submit(hello.replace('0031', '0011'))
    expect(network.totals.reports).toBe(1)
  })

  it('want +CNMA one by one under +CSMS=1; without it routing is switched off', async () => {
    const { te, modem, network } = await start({ acknowledge: '1000' })
    await te.command('AT+CSMS=1;+CNMI=2,2,0,1,0')
    for (const reference of [1, 2]) network.sendReport('line0', { to: '+49172', reference, status: 0 })
    await te.until(/\+CDS: 22\r\n[0-9A-F]+\r\n/)
    expect(network.waiting('line0')).toBe(1)
    await te.command('AT+CNMA')
    await te.until(/\+CDS: 22\r\n[0-9A-F]+\r\n/)
    await expect
      .poll(() => network.violations.map(({ rule }) => rule), { timeout: 10_000 })
      .toEqual(['acknowledgement-missing'])
    expect(await te.command('AT+CNMI?')).toContain('+CNMI: 2,0,0,0,0')
    expect(network.waiting('line0')).toBe(1)
    te.write('AT+CNMI=2,2,0,1,0\r')
    await te.until(/\+CDS: 22\r\n[0-9A-F]+\r\n/)
    await te.command('AT+CNMA')
    expect(modem.acknowledge(true)).toBe(false)
  })
})

describe('inbound messages', () => {
  it('are routed whole, in any order, twice', async () => {
    const { te, network } = await start()
    await te.command('AT+CNMI=2,2,0,1,0')
    network.send('line0', { from: '+49123', text: 'x'.repeat(200), reference: 9 }, [2, 1, 2])
    const seen: string[] = []
    for (let count = 0; count < 3; count++) {
      const line = await te.until(/\+CMT: ,[0-9]+\r\n[0-9A-F]+\r\n/)
      seen.push(/0003090(20[12])/.exec(line)?.[1] ?? '')
    }
    expect(seen).toEqual(['202', '201', '202'])
  })

  it('are stored where +CPMS says, class 2 on the SIM, and listed', async () => {
    const { te, network } = await start()
    await te.command('AT+CPMS="ME","ME","ME";+CNMI=2,1,0,1,0')
    network.send('line0', { from: '+49123', text: 'one' })
    await te.until('+CMTI: "ME",1\r\n')
    network.send('line0', { from: '+49123', text: 'two', class: 2 })
    await te.until('+CMTI: "SM",1\r\n')
    expect(await te.command('AT+CMGL=0')).toMatch(/\+CMGL: 1,0,,[0-9]+\r\n/)
    expect(await te.command('AT+CMGL=0')).toBe('\r\nOK\r\n')
    expect(await te.command('AT+CMGD=1')).toContain('OK')
    expect(await te.command('AT+CMGD=1')).toContain('+CMS ERROR: 321')
  })

  it('wait in the network while the store is full', async () => {
    const { te, modem, network } = await start({ sm: '2', smUsed: '2' })
    await te.command('AT+CNMI=2,1,0,1,0')
    network.send('line0', { from: '+49123', text: 'waits' })
    await te.until('^SMMEMFULL: "SM"')
    await te.submit(hello)
    await te.until('+CDS: 25')
    expect(network.waiting('line0')).toBe(1)
    te.write('AT+CMGD=1,4\r')
    await te.until('+CMTI: "SM",1\r\n')
    expect(modem.stores.SM.slots.size).toBe(1)
  })

  it('wait while the modem is off the air', async () => {
    const { te, network } = await start()
    await te.command('AT+CNMI=2,2,0,1,0;+CREG=1;+CFUN=4')
    await te.until('+CREG: 0')
    network.send('line0', { from: '+49123', text: 'later' })
    expect(network.waiting('line0')).toBe(1)
    te.write('AT+CFUN=1\r')
    await te.until('+CREG: 1')
    await te.until('+CMT: ')
  })

  it('wait in the modem under +CNMI mode 0', async () => {
    const { te, network } = await start()
    await te.command('AT+CNMI=0,1,0,1,0')
    network.send('line0', { from: '+49123', text: 'kept' })
    expect(await te.command('AT')).toBe('\r\nOK\r\n')
    te.write('AT+CNMI=2,1\r')
    await te.until('+CMTI: "SM",1')
  })
})

describe('calls', () => {
  it('ring with the number until they are ended from either side', async () => {
    const { te, modem, network } = await start({ ring: '20' })
    await te.command('AT+CLIP=1')
    network.call('line0', '+49123', 2)
    await te.until('RING\r\n\r\n+CLIP: "+49123",145')
    await te.until('RING')
    await expect.poll(() => modem.inCall).toBe(false)
    network.call('line0', '+49123', 50)
    await te.until('RING')
    await te.command('AT+CHUP')
    expect(modem.inCall).toBe(false)
    expect(await te.command('ATA')).toContain('NO CARRIER')
    network.call('line0', '+49123', 50)
    await te.until('RING')
    expect(await te.command('ATA')).toContain('OK')
    modem.callerEnds()
    await te.until('NO CARRIER')
  })

  it('do not stop a message', async () => {
    const { te, network } = await start({ ring: '5', network: '40' })
    network.call('line0', '+49123', 50)
    await te.until('RING')
    expect(await te.submit(hello)).toContain('+CMGS: 0')
  })
})
