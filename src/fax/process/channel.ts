/**
 * JSON texts, one a line, over a socket between the gateway and the process of a fax line. Both ends are this same
 * program. What waits is bounded: a received page is the largest thing, and waits for its answer; an end that reads
 * nothing any more is given up.
 */
import { Socket } from 'node:net'

/** Base64 of the largest page that is taken; a page of Group 4 has 20 to 100 kB. */
const LONGEST_LINE = 16_000_000
const MOST_WAITING = 32_000_000

export interface Channel<Out> {
  /** False when it could not be handed on: the other end is gone or stuck. */
  tell(message: Out): boolean
  close(): void
}

/** @param onEnd called once, whoever ended it */
export function openChannel<In, Out>(
  from: Socket | number,
  onMessage: (message: In) => void,
  onEnd: () => void,
): Channel<Out> {
  const socket = typeof from === 'number' ? new Socket({ fd: from, readable: true, writable: true }) : from
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    socket.destroy()
    onEnd()
  }
  let pieces: string[] = []
  let waiting = 0
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = chunk.split('\n')
    const rest = lines.pop() ?? ''
    for (const line of lines) {
      const text = pieces.length === 0 ? line : pieces.join('') + line
      pieces = []
      waiting = 0
      // The other end is this same program, and nobody else holds it.
      const message: In = JSON.parse(text)
      onMessage(message)
    }
    if (rest === '') return
    pieces.push(rest)
    waiting += rest.length
    if (waiting > LONGEST_LINE) end()
  })
  socket.on('error', end)
  socket.on('end', end)
  socket.on('close', end)
  return {
    tell(message) {
      if (ended || socket.destroyed || socket.writableLength > MOST_WAITING) return false
      socket.write(`${JSON.stringify(message)}\n`)
      return true
    },
    close: () => socket.destroySoon(),
  }
}
