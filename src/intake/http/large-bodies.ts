/** Large request bodies on a small box: only so many at a time, and one that is too large is read to its end first. */
import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'
import type { onRequestHookHandler } from 'fastify'
import { Problem } from './problems.ts'

/** Bytes that an ordinary message never has. */
const LARGE = 65_536
/** Requests with more than that, at a time: their bodies are held in memory. */
const LARGE_AT_ONCE = 8
/** Bytes of a body that is too large that are read and dropped, so that its sender lives to see why. */
const DROPPED_BODY = 64_000_000

/** Keeps many clients with large bodies from filling the memory of a small box. */
export function roomForBody(): onRequestHookHandler {
  let large = 0
  return (request, reply, done) => {
    const announced = request.headers['content-length'] ?? request.headers['transfer-encoding']
    const length =
      announced === undefined ? 0 : Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY)
    if (length > LARGE) {
      if (large >= LARGE_AT_ONCE) {
        reply.header('retry-after', '1')
        done(new Problem(503, 'busy', 'too many large requests at a time; nothing was stored'))
        return
      }
      large += 1
      reply.raw.once('close', () => {
        large -= 1
      })
    }
    done()
  }
}

/**
 * fastify answers before it has read a body that is too large and closes the connection: a client that is still sending
 * would see a reset and no answer. So the rest is read and dropped first, for no longer than a request may take.
 */
export function whenRead(
  error: Error,
  request: { raw: IncomingMessage; headers: IncomingMessage['headers'] },
  then: () => void,
): void {
  const { raw } = request
  const unread = 'code' in error && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' && !raw.readableEnded
  if (unread && Number(request.headers['content-length']) <= DROPPED_BODY) finished(raw.resume(), then)
  else then()
}
