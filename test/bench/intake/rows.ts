/** The figures of the ways in, by the name that --only takes. Each has a module of its own. */
import type { Bench } from '../bench.ts'
import { mailAccepted } from './mail.ts'

/** Measures and prints; throws when it could not be measured. */
export type IntakeFigure = (bench: Bench) => Promise<void>

export const intakeFigures: Readonly<Record<string, IntakeFigure>> = {
  mail: mailAccepted,
}
