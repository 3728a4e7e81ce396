/**
 * The training check (ITU-T T.30, 5.3.6.1.3 and 5.4.2): 1.5 s of zeros at the chosen rate. Pure.
 */
import type { Modulation } from './modulation.ts'

const LENGTH_MS = 1_500
/** So much of it must have come as zeros without a break; the Recommendation leaves that to the receiver. */
const NEEDED_MS = 1_000

export const trainingCheck = ({ rate }: Modulation): Uint8Array =>
  new Uint8Array(Math.round((rate * LENGTH_MS) / 8_000))

/** @param heard everything between the training of the carrier and its end */
export function goodTraining(heard: Uint8Array, { rate }: Modulation): boolean {
  let run = 0
  let longest = 0
  for (const byte of heard) {
    run = byte === 0 ? run + 1 : 0
    if (run > longest) longest = run
  }
  return longest >= (rate * NEEDED_MS) / 8_000
}
