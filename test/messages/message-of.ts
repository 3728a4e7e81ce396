/** A message as it is accepted, where a test needs one and does not care which. */
import type { Message } from '#messages/message.ts'

export const messageOf = (more: Partial<Message> = {}): Message => ({
  id: 'm',
  at: 0,
  source: 'test',
  text: 'x',
  priority: 2,
  validity: 3_600_000,
  onUnknown: 'resend',
  flash: false,
  ...more,
})
