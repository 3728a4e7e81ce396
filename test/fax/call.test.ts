/** One call between dispatch and the process of a line: what is asked, what counts, what is left when nobody answers. */
import { describe, expect, it } from 'vitest'
import { OutgoingCall } from '#fax/call.ts'
import type { Transmission } from '#lines/contract.ts'
import { newDelivery } from '#messages/message.ts'
import type { Reason } from '#messages/states.ts'
import { messageOf } from '../messages/message-of.ts'

const message = messageOf()

function call(pages: number, from = 0, stop?: () => Reason | undefined) {
  const said: string[] = []
  const transmission: Transmission = {
    message,
    delivery: newDelivery(message, 0, '+49', 'fax', pages),
    from,
    concatenation: 0,
    intend: async (part, step) => void said.push(`intend ${part} ${step ?? 'dial'}`),
    stop: () => stop?.(),
    confirmed: (part) => said.push(`confirmed ${part}`),
    accepted: () => said.push('accepted'),
    yield: () => false,
    signal: new AbortController().signal,
    recorded: () => Promise.resolve(),
  }
  return { said, outgoing: new OutgoingCall(transmission, pages) }
}

describe('an outgoing call', () => {
  it('confirms pages once and in order, and the last one as the whole', async () => {
    const { said, outgoing } = call(3, 1)
    await outgoing.intend(1, 'dial')
    await outgoing.intend(1, 'post-page')
    await outgoing.confirmed(0)
    await outgoing.confirmed(2)
    await outgoing.confirmed(1)
    await outgoing.confirmed(1)
    await outgoing.intend(2, 'post-page')
    await outgoing.confirmed(2)
    expect(said).toEqual([
      'intend 1 dial',
      'intend 1 post-page',
      'confirmed 1',
      'intend 2 post-page',
      'accepted',
    ])
    outgoing.end({ result: 'failed', failure: 'fax-line-dropped', text: 'x', confirmed: 3, facts: {} })
    expect(await outgoing.ended).toMatchObject({ result: 'sent' })
  })

  it('believes no driver that calls it sent with a page missing', async () => {
    const { outgoing } = call(2)
    await outgoing.confirmed(0)
    outgoing.end({ result: 'sent', facts: {} })
    expect(await outgoing.ended).toMatchObject({ result: 'failed', failure: 'fax-protocol', confirmed: 1 })
  })

  it('is in doubt without its process only once the last page was ended', async () => {
    const early = call(2)
    await early.outgoing.intend(0, 'post-page')
    early.outgoing.lost()
    expect(await early.outgoing.ended).toMatchObject({ result: 'failed', failure: 'fax-modem', confirmed: 0 })
    const late = call(2, 1)
    await late.outgoing.intend(1, 'post-page')
    late.outgoing.lost()
    expect(await late.outgoing.ended).toMatchObject({ result: 'unknown', confirmed: 1 })
    const stopped = call(1, 0, () => ({ code: 'cancelled', text: 'No.' }))
    expect(await stopped.outgoing.intend(0, 'post-page')).toMatchObject({ code: 'cancelled' })
    stopped.outgoing.lost()
    expect(await stopped.outgoing.ended).toMatchObject({ result: 'failed' })
  })
})
