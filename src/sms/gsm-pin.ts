/**
 * Unlocks a SIM with the configured PIN, at most once for each SIM until a person says otherwise: a wrong PIN tried
 * by a program that restarts would cost the PUK.
 *
 * What is remembered per ICCID, durably and before the attempt:
 *   (nothing) ─▶ tried ─▶ accepted ─▶ again ─▶ accepted …
 * `tried` with the SIM still asking means refused, or a power cut in between: blocked either way. A PIN that was
 * `accepted` may be entered after every start of the modem; `again` is one attempt with it whose end is not known yet
 * (a power cut), and allows one more. Three attempts lead to the PUK (ETSI TS 102 221 9.5.1), so one always stays.
 */
import type { LineMemory } from '#lines/contract.ts'
import type { Reason } from '#messages/states.ts'
import { type Ask, retriesOf } from './gsm-commands.ts'

export type Unlocking =
  | { result: 'unlocked' }
  /** Not blocked and not unlocked: the modem went away in between. */
  | { result: 'interrupted' }
  | { result: 'blocked'; reason: Reason }

const blocked = (code: string, text: string): Unlocking => ({
  result: 'blocked',
  reason: { code, text },
})

export interface PinAttempt {
  ask: Ask
  memory: LineMemory
  /** The ICCID, or what stands for it when the SIM does not tell it before the PIN. */
  sim: string
  pin: string | undefined
  /** The profile's query for the attempts that are left. */
  retriesQuery: string
}

const memoryName = (sim: string): string => `sim/${sim}/pin`

export async function unlock({ ask, memory, sim, pin, retriesQuery }: PinAttempt): Promise<Unlocking> {
  if (pin === undefined) return blocked('pin-wanted', 'The SIM wants a PIN and none is configured')
  const known = await memory.recall(memoryName(sim))
  if (known === 'tried') {
    return blocked(
      'pin-refused',
      'The configured PIN was tried on this SIM before; enable the line to try once more',
    )
  }
  const retries = retriesOf(await ask(retriesQuery))
  if (retries !== undefined && retries < 2) {
    return blocked('pin-last-try', 'The SIM has one attempt left for its PIN, which is kept for a person')
  }
  await memory.remember(memoryName(sim), known === 'accepted' ? 'again' : 'tried')
  const answer = await ask(`AT+CPIN="${pin}"`, {
    prefix: '+CPIN:',
    timeoutMs: 20_000,
  })
  if (answer.result === 'ok') {
    await memory.remember(memoryName(sim), 'accepted')
    return { result: 'unlocked' }
  }
  if (answer.result !== 'error') return { result: 'interrupted' }
  await memory.remember(memoryName(sim), 'tried')
  return blocked('pin-refused', 'The SIM refused the configured PIN; it will not be tried again')
}

/** The SIM works: whatever was tried was right. */
export async function confirmPin(memory: LineMemory, sim: string): Promise<void> {
  const known = await memory.recall(memoryName(sim))
  if (known === 'tried' || known === 'again') await memory.remember(memoryName(sim), 'accepted')
}

/** A person says that the PIN is right now. */
export async function allowPinAgain(memory: LineMemory, sim: string): Promise<void> {
  if ((await memory.recall(memoryName(sim))) === 'tried') await memory.remember(memoryName(sim), 'allowed')
}
