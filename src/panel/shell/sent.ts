/**
 * The first answers of the interface, which came as a part of the page (src/intake/http/panel-answers.ts): each is there
 * for the first who asks for it, and for nobody who asks later, when it may be true no more.
 */
import { learnTime } from './clock.ts'

interface Sent {
  /** As the header Date of an answer. */
  date: string
  /** By path below /api/v1, with its query. */
  answers: Record<string, SentAnswer>
}

export interface SentAnswer {
  /** HTTP status. */
  status: number
  body: unknown
}

/** From the start of the navigation, ms. */
const FRESH_MS = 5_000

function readSent(): Map<string, SentAnswer> {
  const text = document.getElementById('answers')?.textContent ?? ''
  if (text === '') return new Map()
  const { date, answers }: Sent = JSON.parse(text)
  learnTime(date)
  return new Map(Object.entries(answers))
}

const sent = readSent()

/** @param path below /api/v1, with its query */
export function takeSent(path: string): SentAnswer | undefined {
  const answer = performance.now() < FRESH_MS ? sent.get(path) : undefined
  sent.delete(path)
  return answer
}
