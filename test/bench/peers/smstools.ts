/**
 * smstools 3 (smsd): a spool directory of text files, one process a modem.
 *
 * Default settings are those of its documentation where nothing is written. Tuned are the fastest that keep its spool
 * on disk: it looks for files every second instead of every ten, polls the modem faster, asks the modem less, and
 * messages go straight into the directory that its modem processes read: the main process takes half a second to
 * move a file there, to see whether it is still being written, which a rename makes needless.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { launch, type Peer, type Text } from './peer.ts'

const folders = ['outgoing', 'checked', 'sent', 'failed', 'incoming', 'report', 'stats']

export const smstools: Peer = {
  name: 'smstools',
  packageName: 'smstools',
  program: '/usr/sbin/smsd',
  acceptsBy: 'a file into the spool: written, fsynced, renamed',
  acceptCount: 2_000,
  start({ directory, ports, settings, queued }) {
    for (const folder of folders) mkdirSync(join(directory, folder))
    const tuned = settings === 'tuned'
    const spool = join(directory, tuned ? 'checked' : 'outgoing')
    const lines = [
      `devices = ${ports.map((_, line) => `GSM${line}`).join(', ')}`,
      ...folders.map((name) => `${name} = ${join(directory, name)}`),
      `logfile = ${join(directory, 'smsd.log')}`,
      `infofile = ${join(directory, 'smsd.info')}`,
      `pidfile = ${join(directory, 'smsd.pid')}`,
      'user = root',
      'group = root',
      'loglevel = 4',
      ...(tuned ? ['delaytime = 1', 'delaytime_mainprocess = 1', 'status_signal_quality = no'] : []),
      ...ports.flatMap((port, line) => [
        `[GSM${line}]`,
        `device = ${port}`,
        'baudrate = 115200',
        'rtscts = no',
        'incoming = no',
        'report = no',
        ...(tuned
          ? ['detect_unexpected_input = no', 'poll_faster = 100', 'pre_init = no', 'check_network = 0']
          : []),
      ]),
    ]
    const config = join(directory, 'smsd.conf')
    writeFileSync(config, `${lines.join('\n')}\n`)
    queued.forEach((text, index) => {
      writeFileSync(join(spool, `queued-${String(index).padStart(6, '0')}`), content(text))
    })
    const child = launch('/usr/sbin/smsd', ['-t', `-c${config}`], directory, 'out.log')
    let count = 0
    return Promise.resolve({
      children: [child],
      accept(texts: readonly Text[]) {
        for (const text of texts) {
          const name = `message-${count++}`
          const path = join(directory, name)
          const file = openSync(path, 'w')
          writeSync(file, content(text))
          fsyncSync(file)
          closeSync(file)
          renameSync(path, join(spool, name))
        }
        return Promise.resolve()
      },
    })
  },
}

const content = ({ to, text }: Text) => `To: ${to.replace(/^\+/, '')}\n\n${text}`
