/**
 * Asks for a secret without showing it: at a terminal it is typed unseen and twice, from a pipe it is the first line.
 * Never from the command line, which every user of the machine can read.
 */
import { text as readText } from 'node:stream/consumers'
import { UsageError } from './outcome.ts'

/** @param what such as `password for ann` */
export async function askSecret(what: string, usage: string): Promise<string> {
  if (!process.stdin.isTTY) {
    const [line = ''] = (await readText(process.stdin)).split(/\r?\n/)
    if (line === '') throw new UsageError(`the ${what} is read from stdin, and there is none`, usage)
    return line
  }
  const secret = await typed(`New ${what}: `)
  if (secret !== (await typed('The same again: ')))
    throw new UsageError('these are two different ones', usage)
  return secret
}

/** One line in raw mode, so that the terminal echoes nothing (termios(3): ECHO and ICANON off). */
function typed(prompt: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(prompt)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  return new Promise((resolve, reject) => {
    let line = ''
    const end = (result: () => void) => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      result()
    }
    function take(keys: string): void {
      for (const key of keys) {
        if (key === '\r' || key === '\n') {
          end(() => resolve(line))
          return
        }
        if (key === '\u0003' || key === '\u0004') {
          end(() => reject(new UsageError('nothing was changed', '')))
          return
        }
        line = key === '\u007f' || key === '\b' ? [...line].slice(0, -1).join('') : line + key
      }
    }
    stdin.on('data', take)
  })
}
