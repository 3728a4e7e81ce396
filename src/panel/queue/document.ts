/** A document to be faxed, handed in with its message in one request (multipart/form-data, RFC 7578). */
import { type Answer, ask } from '../shell/api.ts'
import type { AcceptedView } from '../shell/shapes.ts'

export async function sendDocument(
  document: File,
  message: Record<string, unknown>,
  headers: Record<string, string>,
): Promise<Answer<AcceptedView>> {
  const form = new FormData()
  form.set('message', JSON.stringify(message))
  form.set('document', document, document.name)
  const answer = await ask('POST', '/messages', form, undefined, headers)
  if (!answer.ok) return answer
  const value: AcceptedView = await answer.value.json()
  return { ok: true, value, status: answer.status }
}
