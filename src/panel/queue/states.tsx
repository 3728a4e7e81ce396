/** The states of a delivery as shape and word, and what they add up to for a message with many of them. */
import { Status, type Tone } from '../components/status.tsx'
import type { DeliveryView, MessageView } from '../shell/shapes.ts'
import { number } from '../shell/words.ts'
import { words } from './words.ts'

export type State = DeliveryView['state']

export const stateTones: Record<State, Tone> = {
  queued: 'busy',
  claimed: 'busy',
  submitting: 'busy',
  sent: 'ok',
  delivered: 'ok',
  acknowledged: 'ok',
  unknown: 'warn',
  failed: 'bad',
  expired: 'bad',
  cancelled: 'off',
}

export const stateWord = (state: State): string => words.t(`state.${state}`)

export function DeliveryStatus({ state }: { state: State }) {
  return <Status tone={stateTones[state]}>{stateWord(state)}</Status>
}

/** Most worth looking at first. */
const urgency: readonly State[] = [
  'unknown',
  'failed',
  'expired',
  'submitting',
  'claimed',
  'queued',
  'cancelled',
  'sent',
  'delivered',
  'acknowledged',
]

/** @returns the state to show for a message, and how many of its deliveries are in it */
export function summary({ deliveries }: Pick<MessageView, 'deliveries'>): { state: State; count: number } {
  const state = urgency.find((candidate) => deliveries.some((one) => one.state === candidate)) ?? 'queued'
  return { state, count: deliveries.filter((one) => one.state === state).length }
}

export function MessageStatus({ message }: { message: MessageView }) {
  const { state, count } = summary(message)
  const all = message.count ?? message.deliveries.length
  return (
    <Status tone={stateTones[state]}>
      {stateWord(state)}
      {count < all ? (
        <span class="quiet figures"> {words.t('ofAll', { count, all: number(all) })}</span>
      ) : null}
    </Status>
  )
}
