/** The German words of what is rare, in one file; with them the sentences that members write, in both languages. */
import audit from './audit.de.json'
import reasons from './reasons.de.json'
import refusals from './refusals.de.json'
import sentences from './sentences.de.json'
import written from './sentences.en.json'

export const whole = { audit, reasons, refusals, sentences, written }
