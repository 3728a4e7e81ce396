/**
 * The program as it is (src/main.ts), but for the process of a fax line: that goes by the time of a line which is
 * SOFT_MODEM_SPEED times faster than life. Started in the program's place (soft-modem.ts, programAt).
 */
const [command] = process.argv.slice(2)

if (command === 'fax-line') {
  const { runFaxProcess } = await import('#fax/process/process.ts')
  const { fastTiming } = await import('./fast-timing.ts')
  await runFaxProcess(3, fastTiming(Number(process.env['SOFT_MODEM_SPEED'])))
  process.exit(0)
}
await import('../../src/main.ts')
