/** The English words of what is rare. A refusal and a sentence of the appliance are English already. */
import audit from './audit.en.json'
import reasons from './reasons.en.json'

export const whole = { audit, reasons, refusals: {}, sentences: {}, written: {} }
