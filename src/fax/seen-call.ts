/**
 * The newest call that came in on a line, whoever it was for: a fax, somebody who talked, or one that was left to the
 * telephone beside the modem. Kept over a restart.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { LineMemory, LineStatus } from '#lines/contract.ts'
import type { CallInResult } from './contract.ts'

export type SeenCall = NonNullable<NonNullable<LineStatus['fax']>['lastCall']>

export class LastCall {
  readonly #memory: LineMemory
  readonly #name: string
  readonly #log: Log
  #seen: SeenCall | undefined

  /** @param name in the memory, one for each line */
  constructor(memory: LineMemory, name: string, log: Log) {
    this.#memory = memory
    this.#name = name
    this.#log = log
  }

  get seen(): SeenCall | undefined {
    return this.#seen
  }

  /** Never rejects. */
  async recall(): Promise<void> {
    const kept = await this.#memory.recall(this.#name).catch(() => undefined)
    this.#seen ??= readCall(kept)
  }

  note(call: SeenCall): void {
    this.#seen = call
    this.#log.info(call, 'A call came in')
    this.#memory
      .remember(this.#name, JSON.stringify(call))
      .catch((error: unknown) => this.#log.error({}, errorText(error)))
  }
}

/** What this program wrote; undefined when nothing was kept. */
function readCall(kept: string | undefined): SeenCall | undefined {
  try {
    const call: SeenCall = JSON.parse(kept ?? '')
    return call
  } catch {
    return undefined
  }
}

/** @param at ms since 1970 @param from empty when the caller is not known */
export function seenCall(at: number, from: string, ended: CallInResult | 'left'): SeenCall {
  if (ended === 'left') return { at, from, result: 'left', text: 'It rang, and was not answered here.' }
  switch (ended.result) {
    case 'received': {
      const text = ended.pages === 1 ? 'A fax of 1 page.' : `A fax of ${ended.pages} pages.`
      return { at, from, result: 'received', text }
    }
    case 'partial':
      return { at, from, result: 'partial', text: `A fax that broke off: ${ended.text}.` }
    case 'no-fax':
      return { at, from, result: 'no-fax', text: `No fax: ${ended.text}.` }
  }
}
