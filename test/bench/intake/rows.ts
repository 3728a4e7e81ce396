/** The figures of the ways in, by the name that --only takes. Each has a module of its own. */
import type { Bench } from '../bench.ts'
import { largeJob } from './job.ts'
import { mailAccepted } from './mail.ts'
import { modbusCrossing } from './modbus.ts'
import { stormKept } from './storm.ts'

/** Measures and prints; throws when it could not be measured. */
export type IntakeFigure = (bench: Bench) => Promise<void>

export const intakeFigures: Readonly<Record<string, IntakeFigure>> = {
  job: largeJob,
  storm: stormKept,
  mail: mailAccepted,
  modbus: modbusCrossing,
}
