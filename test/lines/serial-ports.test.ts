/** By which name a serial port goes into a configuration, with links as udev makes them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { deviceOf, linksIn, placesOf, serialPorts } from '#lines/serial-ports.ts'

test('a port goes by the name of the device, else by that of its socket, else by its own', async () => {
  const root = mkdtempSync(join(tmpdir(), 'dev-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const device = (name: string) => join(root, name)
  for (const name of ['ttyUSB2', 'ttyUSB10', 'ttyAMA0', 'ttyS0']) writeFileSync(device(name), '')
  for (const directory of ['by-id', 'by-path']) mkdirSync(device(directory))
  symlinkSync('../ttyUSB2', device('by-id/usb-modem-if00'))
  symlinkSync('../ttyUSB2', device('by-path/usb-0:1:1.0'))
  symlinkSync('../ttyUSB10', device('by-path/usb-0:2:1.0'))
  symlinkSync('../ttyUSB77', device('by-id/usb-gone-if00'))
  const links = await Promise.all([
    linksIn(device('by-id')),
    linksIn(device('by-path')),
    linksIn(device('none')),
  ])
  const devices = ['ttyUSB10', 'ttyAMA0', 'ttyUSB2', 'ttyS0', 'ttyUSB2'].map(device)
  expect(placesOf(devices, [device('ttyS0')], links)).toEqual([
    { device: device('ttyAMA0'), name: device('ttyAMA0') },
    { device: device('ttyUSB2'), name: device('by-id/usb-modem-if00') },
    { device: device('ttyUSB10'), name: device('by-path/usb-0:2:1.0') },
  ])
  expect(await deviceOf(device('by-id/usb-modem-if00'))).toBe(device('ttyUSB2'))
})

test('this machine is asked without a fault, whatever it has', async () => {
  for (const { device } of await serialPorts()) expect(device).toMatch(/^\/dev\//)
})
