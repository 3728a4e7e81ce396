/** Modems where a gateway finds them: TCP ports, ptys, and the whole `twinline simulate` process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SerialPort } from 'serialport'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SimulatedModem } from '#simulator/modem.ts'
import { defaultModemOptions } from '#simulator/options.ts'
import { type Served, servePty, serveTcp } from '#simulator/serve.ts'
import { describeWith } from '../requirements.ts'
import { hello, Terminal } from './terminal.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let directory = ''
const ends: (() => unknown)[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'twinline-simulator-'))
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await rm(directory, { recursive: true, force: true })
})

function modem(): SimulatedModem {
  const options = defaultModemOptions()
  options.boot = 5
  const made = new SimulatedModem(options)
  ends.push(() => made.stop())
  return made
}

function kept(served: Served): Served {
  ends.push(() => served.stop())
  return served
}

async function dial(port: number): Promise<Terminal> {
  const socket = connect(port, '127.0.0.1')
  ends.push(() => socket.destroy())
  await once(socket, 'connect')
  return new Terminal(socket)
}

async function open(path: string): Promise<{ te: Terminal; serial: SerialPort }> {
  const serial = new SerialPort({ path, baudRate: 115200 })
  ends.push(() => serial.isOpen && serial.close())
  const te = new Terminal(serial)
  await once(serial, 'open')
  return { te, serial }
}

const portOf = (address: string) => Number(address.split(':').at(-1))

describe('over TCP', () => {
  it('serves one client, the newest, and goes away with the plug', async () => {
    const one = modem()
    const served = kept(await serveTcp(one))
    const first = await dial(portOf(served.address))
    expect(await first.command('ATE0')).toContain('OK')
    const second = await dial(portOf(served.address))
    expect(await second.submit(hello)).toContain('+CMGS: 0')
    one.unplug()
    await expect
      .poll(
        async () =>
          await dial(portOf(served.address)).then(
            () => 'open',
            () => 'refused',
          ),
      )
      .toBe('refused')
    one.plug()
    await expect
      .poll(
        async () =>
          await dial(portOf(served.address)).then(
            () => 'open',
            () => 'refused',
          ),
      )
      .toBe('open')
  })
})

describeWith(['socat'], 'over a pty', () => {
  it('lives on when a client closes it', async () => {
    const one = modem()
    const link = join(directory, 'line0')
    expect(kept(await servePty(one, link)).address).toBe(`serial://${link}?baud=115200`)
    for (let round = 0; round < 3; round++) {
      const { te, serial } = await open(link)
      await te.command('ATE0')
      expect(await te.submit(hello)).toContain(`+CMGS: ${round}`)
      await new Promise((resolve) => serial.close(resolve))
    }
  })

  it('carries every octet', async () => {
    const one = modem()
    const link = join(directory, 'line0')
    kept(await servePty(one, link))
    const { te } = await open(link)
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code))
    one.disturb(all)
    await te.until(all)
  })

  it('goes with the plug and comes back with it', async () => {
    const one = modem()
    const link = join(directory, 'line0')
    kept(await servePty(one, link))
    // Not a SerialPort: one that is hung up between two of its reads never notices.
    const device = createReadStream(link)
    await once(device, 'open')
    device.on('error', () => {}).resume()
    const ended = new Promise<void>((resolve) => device.once('close', () => resolve()))
    one.unplug('lost', 100)
    expect(existsSync(link)).toBe(false)
    await ended
    await expect.poll(() => existsSync(link)).toBe(true)
    const { te } = await open(link)
    expect(await te.command('AT')).toContain('OK')
  })

  it('says what is wrong when there can be none', async () => {
    await expect(servePty(modem(), join('/proc', 'line0'))).rejects.toThrow(/\/proc/)
  })
})

interface Running {
  child: ChildProcess
  lines: string[]
  control: number
}

async function run(...flags: string[]): Promise<Running> {
  const child = spawn(process.execPath, [main, 'simulate', '--json', '--control', '0', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  ends.push(() => child.kill('SIGKILL'))
  let text = ''
  for await (const chunk of child.stdout) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  const { lines, control }: { lines: string[]; control: number } = JSON.parse(text)
  return { child, lines, control }
}

const childrenOf = (pid: number | undefined): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

const alive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

describeWith(['socat'], 'twinline simulate', () => {
  it('shows its modems, obeys the control port, records, and leaves nothing behind', async () => {
    const record = join(directory, 'record.jsonl')
    const { child, lines, control } = await run('--lines', '2', '--pty', directory, '--record', record)
    expect(lines).toEqual([0, 1].map((line) => `serial://${directory}/line${line}?baud=115200`))
    const programs = childrenOf(child.pid)
    expect(programs).toHaveLength(2)
    const { te } = await open(join(directory, 'line1'))
    await te.command('ATE0;+CNMI=2,1,0,1,0')
    const controller = await dial(control)
    controller.write('{"line":1,"do":"errors","rules":"CMS 38x1"}\n')
    await controller.until('{"ok":true}\n')
    expect(await te.submit(hello)).toContain('+CMS ERROR: 38')
    expect(await te.submit(hello)).toContain('+CMGS: 1')
    await te.until('+CDS: 25')
    controller.write('{"do":"totals"}\n')
    expect(await controller.until('\n')).toContain('"submissions":2,"delivered":1,"refused":1')
    const exited = once(child, 'exit')
    child.kill('SIGINT')
    expect(await exited).toEqual([0, null])
    expect(programs.filter(alive)).toEqual([])
    expect(existsSync(join(directory, 'line1'))).toBe(false)
    const written = (await readFile(record, 'utf8')).trim().split('\n')
    expect(written.map((line) => JSON.parse(line))).toMatchObject([
      { kind: 'submission', modem: 'line1', answer: '+CMS ERROR: 38', delivered: false },
      { kind: 'submission', modem: 'line1', answer: '+CMGS: 1', delivered: true },
    ])
  })

  it('takes its ptys along when it is killed', async () => {
    const { child } = await run('--pty', directory)
    const programs = childrenOf(child.pid)
    expect(readlinkSync(join(directory, 'line0'))).toContain('/dev/pts/')
    child.kill('SIGKILL')
    await expect.poll(() => programs.filter(alive), { timeout: 10_000 }).toEqual([])
  })

  it('says what is wrong with its options, with exit code 2', async () => {
    const child = spawn(process.execPath, [main, 'simulate', '--signal', '200'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let text = ''
    child.stderr.on('data', (bytes: Buffer) => {
      text += bytes.toString()
    })
    expect(await once(child, 'close')).toEqual([2, null])
    expect(text).toContain('--signal: signal cannot be "200"; allowed: a whole number, 0 to 99')
  })
})
