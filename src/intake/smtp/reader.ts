/**
 * Reads mails within bounds of time and memory. A parser's work does not follow from a mail's size alone (ten million
 * line ends are a mail of 10 MB that takes gigabytes), so what is not small is read in a process of its own, which may
 * run out of memory or be killed and harms nobody. (A thread is not enough: V8 ends the whole process when the heap of
 * one overflows in the wrong place.) Small mails are read at once, because a process costs more than they do.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Mail, parseMail } from './mail.ts'
import { notNow, Refusal } from './refusal.ts'

/** Up to here even the worst mail is read in some tens of milliseconds. */
const SMALL = { bytes: 32_000, lines: 2_000 }
const LONGEST_MS = 10_000
/** Of the process's heap; the mail's bytes are outside it. */
const MOST_MEMORY_MB = 128

const program = fileURLToPath(new URL('./mail-process.ts', import.meta.url))

export interface MailReader {
  /**
   * @param attachments whether they are wanted
   * @throws Refusal
   */
  read(bytes: Buffer, attachments?: boolean): Promise<Mail>
  stop(): void
}

/** @param mostWaiting mails that wait for the process, the one in it included */
export function createMailReader(mostWaiting = 32): MailReader {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  let running: ChildProcess | undefined

  async function apart(bytes: Buffer, attachments: boolean): Promise<Mail> {
    const child = fork(program, {
      execArgv: [`--max-old-space-size=${MOST_MEMORY_MB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
    })
    running = child
    const done = new AbortController()
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(LONGEST_MS)])
    try {
      // What cannot be sent shows in the process's end.
      child.send({ bytes, attachments }, () => {})
      const ended = once(child, 'exit', { signal }).then(() =>
        Promise.reject(new Error('ended without an answer')),
      )
      const [mail] = await Promise.race([once(child, 'message', { signal }), ended])
      return mail
    } finally {
      done.abort()
      running = undefined
      child.on('error', () => {})
      child.kill('SIGKILL')
    }
  }

  async function inTurn(bytes: Buffer, attachments: boolean): Promise<Mail> {
    if (waiting >= mostWaiting) throw notNow('busy', 'too many large mails at a time')
    waiting += 1
    try {
      const mine = last.then(() => apart(bytes, attachments))
      last = mine.catch(() => {})
      return await mine
    } finally {
      waiting -= 1
    }
  }

  return {
    async read(bytes, attachments = false) {
      try {
        return await (isSmall(bytes) ? parseMail(bytes, attachments) : inTurn(bytes, attachments))
      } catch (error) {
        if (error instanceof Refusal) throw error
        throw new Refusal(
          554,
          'mail-unreadable',
          'the mail could not be read: it is malformed, or takes too much time or memory',
        )
      }
    },
    stop() {
      running?.kill('SIGKILL')
    },
  }
}

function isSmall(bytes: Buffer): boolean {
  if (bytes.length > SMALL.bytes) return false
  let lines = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1
  return lines <= SMALL.lines
}
