/**
 * gammu-smsd: one daemon a modem, each with an outbox of files.
 *
 * Tuned leaves out its pauses (LoopSleep, CommTimeout) and the questions that it asks the modem meanwhile.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launch, type Peer, type Text } from './peer.ts'

const boxes = ['inbox', 'outbox', 'sent', 'error']

export const gammu: Peer = {
  name: 'gammu-smsd',
  packageName: 'gammu-smsd',
  program: '/usr/bin/gammu-smsd',
  acceptsBy: 'gammu-smsd-inject, one process a message',
  acceptCount: 200,
  async start({ directory, ports, settings, queued }) {
    const configs = ports.map((port, line) => {
      const home = join(directory, `line${line}`)
      for (const box of boxes) mkdirSync(join(home, box), { recursive: true })
      const config = join(home, 'gammu-smsdrc')
      const tuned = [
        'LoopSleep = 0',
        'CommTimeout = 1',
        'ReceiveFrequency = 600',
        'StatusFrequency = 0',
        'CheckSecurity = 0',
        'CheckBattery = 0',
        'CheckSignal = 0',
        'CheckNetwork = 0',
      ]
      const text = [
        '[gammu]',
        `device = ${port}`,
        'connection = at115200',
        '[smsd]',
        'service = files',
        'logfile = smsd.log',
        ...boxes.map(
          (box) => `${box === 'sent' ? 'sentsms' : box === 'error' ? 'errorsms' : box}path = ${home}/${box}/`,
        ),
        ...(settings === 'tuned' ? tuned : []),
      ]
      writeFileSync(config, `${text.join('\n')}\n`)
      return { home, config }
    })
    queued.forEach(({ to, text }, index) => {
      const home = configs[index % configs.length]?.home ?? directory
      const serial = String(index).padStart(6, '0')
      writeFileSync(join(home, 'outbox', `OUTC20260101_000000_${serial}_${to}_x.txt`), text)
    })
    const children = configs.map(({ home, config }) =>
      launch('/usr/bin/gammu-smsd', ['-c', config], home, 'out.log'),
    )
    return {
      children,
      async accept(texts: readonly Text[]) {
        for (const [index, { to, text }] of texts.entries()) {
          const config = configs[index % configs.length]?.config ?? ''
          const inject = spawn('/usr/bin/gammu-smsd-inject', ['-c', config, 'TEXT', to, '-text', text], {
            stdio: 'ignore',
          })
          await once(inject, 'exit')
        }
      },
    }
  },
}
