/**
 * Sends the parts of one delivery through a modem, and says honestly how it ended.
 *
 * Order of a part, which guarantee 3 of the architecture rests on: AT+CMGS is written · the intent is being made
 * durable meanwhile · the prompt and the durable intent are both there · transmission.stop() has nothing against it ·
 * PDU and Ctrl-Z go out in one write, in that same tick. Whatever ends it before is `notSent`; whatever ends it after
 * without an answer is `unknown`.
 *
 * Rests on 3GPP TS 27.005 4.3 (+CMGS in PDU mode) and 24.011 10 (TR1M: the network answers within 45 s or never, which
 * is below the profile's `submit` deadline).
 */
import type { Clock } from '#core/clock.ts'
import type { AtChannel, PromptAnswer } from '#lines/at-channel.ts'
import type { Transmission } from '#lines/contract.ts'
import type { Outcome } from '#messages/outcome.ts'
import type { Reason } from '#messages/states.ts'
import { planText, splitText } from './coding.ts'
import type { Modem } from './gsm-modem.ts'
import { isModemFault, readRefusal } from './gsm-refusal.ts'
import { encodeSubmit } from './submit.ts'

/** How long a modem may take to leave the prompt after ESC before the recovery ladder looks after it. */
const STEP_MS = 2_700
const REFERENCE = /^\+CMGS:\s*(\d{1,3})(?!\d)/

export interface TransmitHost {
  channel: AtChannel
  modem: Modem
  clock: Clock
  /** Ask for status reports. */
  reports: boolean
  concatenation: 8 | 16
  /** The program or a person wants the line: no further part. */
  leaving: () => Reason | undefined
  /** The modem does not do its work. Called before the outcome is known. */
  fault: (reason: Reason) => void
  /** The modem objects to this message, which may be the fault of either. Called before the outcome is known. */
  objected: (to: string, reason: Reason) => void
  proven: () => void
}

export async function transmitParts(transmission: Transmission, host: TransmitHost): Promise<Outcome> {
  const { message, delivery } = transmission
  const { profile } = host.modem
  const plan = message.coding
    ? { coding: message.coding, parts: splitText(message.text, message.coding) }
    : planText(message.text, host.concatenation)
  const parts = plan.parts.length
  if (parts - transmission.from > 1 && profile.quirks.moreMessages && !host.modem.mute) {
    await host.channel.run({
      text: 'AT+CMMS=1',
      timeoutMs: profile.timeouts.command,
    })
  }
  for (let part = transmission.from; part < parts; part++) {
    const progress = { confirmed: part }
    const leaving = part > transmission.from && transmission.yield() ? yielded : host.leaving()
    if (leaving) return { result: 'notSent', reason: leaving, progress }
    const { pdu, length } = encodeSubmit({
      to: delivery.to,
      text: plan.parts[part] ?? '',
      coding: plan.coding,
      part,
      parts,
      concatenation: transmission.concatenation,
      statusReport: host.reports,
      validityMs: Math.max(0, delivery.expires - host.clock.now()),
      flash: message.flash,
    })
    const answer = await host.channel.submit({
      command: `AT+CMGS=${length}`,
      body: pdu,
      intend: () => transmission.intend(part),
      stop: () => transmission.stop(),
      promptMs: profile.timeouts.prompt,
      answerMs: profile.timeouts.submit,
      reference: REFERENCE,
    })
    if (answer.result !== 'taken') return await ended(answer, part, transmission, host)
    host.proven()
    if (part + 1 === parts) transmission.accepted(answer.reference)
    else transmission.confirmed(part, answer.reference)
  }
  return { result: 'accepted', progress: { confirmed: parts } }
}

const yielded: Reason = {
  code: 'yielded',
  text: 'Something more urgent goes first',
}
const lostReasons = {
  closed: { code: 'port-lost', text: 'The port was lost' },
  reset: { code: 'modem-reset', text: 'The modem restarted' },
  silent: { code: 'no-answer', text: 'The modem does not answer' },
} as const

async function ended(
  answer: Exclude<PromptAnswer, { result: 'taken' }>,
  part: number,
  { delivery }: Transmission,
  host: TransmitHost,
): Promise<Outcome> {
  const progress = { confirmed: part }
  const notSent = (reason: Reason): Outcome => ({
    result: 'notSent',
    reason,
    progress,
  })
  const unknown = (reason: Reason): Outcome => ({
    result: 'unknown',
    reason,
    step: part,
    progress,
  })
  const faulty = (reason: Reason): Reason => {
    host.fault(reason)
    return reason
  }
  switch (answer.result) {
    case 'error': {
      const refusal = readRefusal(answer.error)
      // The modem waited for the network's answer and got none: nobody knows whether the message got through.
      if (answer.sent && refusal.reason.code === 'network-timeout') return unknown(refusal.reason)
      if (isModemFault(answer.error, refusal)) host.objected(delivery.to, refusal.reason)
      return { result: 'refused', ...refusal, progress }
    }
    case 'stopped':
      // The line is free again only when the modem has left the prompt.
      if (!(await host.channel.resync(STEP_MS))) host.fault(lostReasons.silent)
      return notSent(answer.reason)
    case 'no-prompt':
      return notSent(
        faulty({
          code: 'no-prompt',
          text: 'The modem did not ask for the message',
        }),
      )
    case 'no-answer':
      return unknown(
        faulty({
          code: 'no-answer',
          text: 'The modem took the message and never answered',
        }),
      )
    case 'lost': {
      const reason = lostReasons[answer.lost.how]
      if (answer.lost.how === 'silent') host.fault(reason)
      return answer.sent ? unknown(reason) : notSent(reason)
    }
  }
}
