/** A new password that is too short is told before it is sent: the appliance would only say that it is refused. */
import type { Answer } from '../shell/api.ts'
import { foundHere } from '../shell/problems.ts'
import { words } from './words.ts'

/** As src/intake/http/panel-schemas.ts has it. */
const SHORTEST = 10

/** @param field whose message it is */
export function tooShort(field: string, password: string): (Answer<never> & { ok: false }) | undefined {
  if (password.length >= SHORTEST) return undefined
  const detail = words.t('passwordShort', { count: SHORTEST })
  return foundHere(field, detail)
}
