/**
 * JSON texts, one a line, over a socket between the gateway and a process that it keeps (guard, fax line). Both ends are
 * this same program, and nobody else holds them. What waits is bounded: what does not fit is not taken.
 */
import { Socket } from 'node:net'

/** Characters; of received lines, and of what waits to be sent. */
export interface ChannelLimits {
  longestLine: number
  mostWaiting: number
}

export interface Channel<Out> {
  /**
   * False when it could not be handed on: the other end is gone or reads nothing.
   * @param mostWaiting a lower limit, for what may be dropped
   */
  tell(message: Out, mostWaiting?: number): boolean
  close(): void
}

/** @param onEnd called once, whoever ended it */
export function openChannel<In, Out>(
  from: Socket | number,
  limits: ChannelLimits,
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
      const message: In = JSON.parse(text)
      onMessage(message)
    }
    if (rest === '') return
    pieces.push(rest)
    waiting += rest.length
    if (waiting > limits.longestLine) end()
  })
  socket.on('error', end)
  socket.on('end', end)
  socket.on('close', end)
  return {
    tell(message, mostWaiting = limits.mostWaiting) {
      if (ended || socket.destroyed || socket.writableLength > mostWaiting) return false
      socket.write(`${JSON.stringify(message)}\n`)
      return true
    },
    close: () => socket.destroySoon(),
  }
}
