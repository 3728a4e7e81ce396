/**
 * The guard's end of the channel to its gateway: JSON texts, one a line, over file descriptor 3. A gateway that reads
 * nothing must not stop or grow the guard: what does not fit is dropped, log lines first. Everything that matters is
 * said again soon.
 */
import { openChannel } from '#core/json-channel.ts'
import { channelLimits, type FromGuard, type ToGuard } from './protocol.ts'

export interface Parent {
  tell(message: FromGuard): void
  close(): void
}

/**
 * @param onMessage for each message of the gateway
 * @param onEnd its end of file: the gateway is dead
 */
export function openParent(fd: number, onMessage: (message: ToGuard) => void, onEnd: () => void): Parent {
  const channel = openChannel<ToGuard, FromGuard>(fd, channelLimits, onMessage, onEnd)
  return {
    tell(message) {
      const lesser = message.kind === 'log' || message.kind === 'views'
      channel.tell(message, channelLimits.mostWaiting / (lesser ? 2 : 1))
    },
    close: () => channel.close(),
  }
}
