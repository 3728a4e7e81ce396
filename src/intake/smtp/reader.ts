/**
 * Reads mails within bounds of time and memory. A parser's work does not follow from a mail's size alone (ten million
 * line ends are a mail of 10 MB), so what is not small is read in a thread of its own that is ended when it takes too
 * long or too much. Small ones are read at once, because a thread costs more than they do.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Mail, parseMail } from './mail.ts'
import { notNow, Refusal } from './refusal.ts'

/** Up to here even the worst mail is read in some tens of milliseconds. */
const SMALL = { bytes: 32_000, lines: 2_000 }
const LONGEST_MS = 5_000
/** Of the thread's own heap; the mail's bytes are outside it. */
const MOST_MEMORY_MB = 96
/** Mails that wait for the thread, the one in it included. */
const MOST_WAITING = 8

export interface MailReader {
  /** @throws Refusal */
  read(bytes: Buffer): Promise<Mail>
  stop(): Promise<void>
}

export function createMailReader(): MailReader {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  let running: Worker | undefined

  async function apart(bytes: Buffer): Promise<Mail> {
    const worker = new Worker(new URL('./mail-thread.ts', import.meta.url), {
      workerData: bytes,
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB },
      stdout: true,
      stderr: true,
    })
    running = worker
    try {
      const [mail] = await once(worker, 'message', { signal: AbortSignal.timeout(LONGEST_MS) })
      return mail
    } finally {
      running = undefined
      // A thread that ended for want of memory says so once more while it is being ended.
      worker.on('error', () => {})
      await worker.terminate()
    }
  }

  async function inTurn(bytes: Buffer): Promise<Mail> {
    if (waiting >= MOST_WAITING) throw notNow('busy', 'too many large mails at a time')
    waiting += 1
    try {
      const before = last
      const mine = before.then(() => apart(bytes))
      last = mine.catch(() => {})
      return await mine
    } finally {
      waiting -= 1
    }
  }

  return {
    async read(bytes) {
      try {
        return await (isSmall(bytes) ? parseMail(bytes) : inTurn(bytes))
      } catch (error) {
        if (error instanceof Refusal) throw error
        throw new Refusal(
          554,
          'mail-unreadable',
          'the mail could not be read: it is malformed, or takes too much time or memory',
        )
      }
    },
    async stop() {
      await running?.terminate()
    },
  }
}

function isSmall(bytes: Buffer): boolean {
  if (bytes.length > SMALL.bytes) return false
  let lines = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1
  return lines <= SMALL.lines
}
