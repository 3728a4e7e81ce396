/**
 * One call of our Class 1 driver at a soft modem, in a process of its own as a fax line has one: calls beside each other
 * must not wait for each other's coding. Its one argument is the order (JSON); the answer goes to the parent.
 */
import { copyFileSync, existsSync } from 'node:fs'
import { openBench, receiveFax, sendFax } from '../../fax/class1/class1-bench.ts'
import type { SoftModemEvent, SoftModemOptions } from '../../fax-modem/soft-modem.ts'

export interface CallOrder {
  direction: 'out' | 'in'
  file: string
  pages: number
  /** Where what came is put. */
  received: string
  options: Omit<SoftModemOptions, 'directory'>
}

export interface CallReport {
  result: { result: string }
  /** Pages that were confirmed, out or in. */
  confirmed: number
  far: SoftModemEvent
  hungUp: SoftModemEvent
  /** The last words with the modem. */
  dialogue: string[]
}

async function perform(order: CallOrder): Promise<CallReport> {
  const { file, pages, received, options } = order
  const { driver, soft, directory, stop } = await openBench(options)
  try {
    if (order.direction === 'in') soft.ring('030', file)
    const done =
      order.direction === 'out'
        ? await sendFax(driver, file, pages).then(({ result, confirmed }) => ({
            result,
            confirmed: confirmed.length,
            file: '',
          }))
        : await receiveFax(driver, directory).then((report) => ({
            result: report.result,
            confirmed: report.pages.filter(({ complete }) => complete).length,
            file: report.file,
          }))
    const far = await soft.next('far-end')
    const hungUp = await soft.next('hung-up')
    const came = order.direction === 'out' ? (far.file ?? '') : done.file
    if (existsSync(came)) copyFileSync(came, received)
    const dialogue = driver.dialogue().split('\n').slice(-40)
    return { result: done.result, confirmed: done.confirmed, far, hungUp, dialogue }
  } finally {
    await stop()
  }
}

process.send?.(await perform(JSON.parse(process.argv[2] ?? '')))
process.disconnect()
