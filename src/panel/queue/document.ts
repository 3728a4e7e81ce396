/**
 * A document to be faxed, handed in with its message in one request (multipart/form-data, RFC 7578). The fields come
 * before the document, so that the appliance can refuse them before it takes megabytes.
 */
import { type Answer, ask } from '../shell/api.ts'
import type { AcceptedView } from '../shell/shapes.ts'

/** What is typed instead of a document becomes one of plain text. */
export const asDocument = (text: string): File => new File([text], 'text.txt', { type: 'text/plain' })

/** @param fields as a message has them; several recipients are joined by commas */
export async function sendDocument(
  document: File,
  fields: Record<string, string | readonly string[] | undefined>,
  headers: Record<string, string>,
): Promise<Answer<AcceptedView>> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    const text = typeof value === 'string' ? value : (value ?? []).join(',')
    if (text !== '') form.set(name, text)
  }
  form.set('document', document, document.name)
  const answer = await ask('POST', '/messages', form, undefined, headers)
  if (!answer.ok) return answer
  const value: AcceptedView = await answer.value.json()
  return { ok: true, value, status: answer.status }
}
