/**
 * How long the body of a request may take. A short one has half a minute; an upload (multipart/form-data: documents,
 * backups) as long as it makes progress, for a line of 64 kbit/s needs minutes for what is taken. Whoever has been
 * answered already, refused perhaps, is not listened to for as long as that.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** A body that is no upload is whole by then; in as much time an upload brings at least LEAST_BYTES. */
const SPAN_MS = 30_000
const LEAST_BYTES = 60_000
/** Half an hour. */
const MOST_SPANS = 60
export const LONGEST_BODY_MS = SPAN_MS * MOST_SPANS

/** @param late told once when it took too long */
export function pace(request: IncomingMessage, response: ServerResponse, late: () => void): void {
  const { headers, socket } = request
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return
  const upload = headers['content-type']?.toLowerCase().startsWith('multipart/form-data') === true
  let spans = 0
  // What came with the head counts, too.
  let before = 0
  const timer = setInterval(() => {
    spans += 1
    const came = socket.bytesRead - before
    before = socket.bytesRead
    // What has come and was not read yet waits for us, and not we for it.
    const slow = came < LEAST_BYTES && request.readableLength === 0
    if (upload && !response.writableEnded && !slow && spans < MOST_SPANS) return
    clearInterval(timer)
    late()
  }, SPAN_MS)
  const over = () => clearInterval(timer)
  request.once('end', over)
  request.once('close', over)
}
