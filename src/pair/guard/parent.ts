/**
 * The guard's end of the channel to its gateway: JSON texts, one a line, over file descriptor 3. A gateway that reads
 * nothing must not stop or grow the guard: what does not fit is dropped, log lines first. Everything that matters is
 * said again soon.
 */
import { Socket } from 'node:net'
import type { FromGuard, ToGuard } from './protocol.ts'

/** Bytes that may wait; log lines only half of it. */
const MOST_WAITING = 262_144
const LONGEST_LINE = 1_048_576

export interface Parent {
  tell(message: FromGuard): void
  close(): void
}

/**
 * @param onMessage for each message of the gateway
 * @param onEnd its end of file: the gateway is dead
 */
export function openParent(fd: number, onMessage: (message: ToGuard) => void, onEnd: () => void): Parent {
  const socket = new Socket({ fd, readable: true, writable: true })
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    onEnd()
  }
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LONGEST_LINE) {
      socket.destroy()
      return
    }
    for (const line of lines) {
      // The gateway is this same program and the only one that holds the other end.
      const message: ToGuard = JSON.parse(line)
      onMessage(message)
    }
  })
  socket.on('error', end)
  socket.on('end', end)
  socket.on('close', end)
  return {
    tell(message) {
      if (ended || socket.destroyed) return
      const bound = message.kind === 'log' || message.kind === 'views' ? MOST_WAITING / 2 : MOST_WAITING
      if (socket.writableLength > bound) return
      socket.write(`${JSON.stringify(message)}\n`)
    },
    close: () => socket.destroySoon(),
  }
}
