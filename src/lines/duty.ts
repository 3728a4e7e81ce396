/**
 * Whether a line is to work: as it is configured, unless a person has switched it since, which is remembered; and the
 * definition of another member's line only while it is woken. A line that is to leave off brings what is under way to its
 * end first, and may be told to go on before that.
 */
import { errorText } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import type { Reason } from '#messages/states.ts'
import type { LineMemory } from './contract.ts'

export interface DutyParts {
  config: { id: string; disabled: boolean; passive?: string }
  node: string
  memory: LineMemory
  log: Log
  /** It begins to work, or goes on where it has not let go yet. */
  run(): void
  /** Nothing further may begin. */
  leave(reason: Reason): void
  underWay(): Promise<unknown> | undefined
  /** How long what is under way may take, ms. */
  patience: number
  /** Nothing is under way any more, or not for as long as is waited. */
  letGo(): void
}

export class Duty {
  readonly #parts: DutyParts
  #wanted: 'unknown' | 'running' | 'disabled' | 'passive' | 'stopped' = 'unknown'
  #leaving: Reason | undefined

  constructor(parts: DutyParts) {
    this.#parts = parts
  }

  get running(): boolean {
    return this.#wanted === 'running'
  }

  get stopped(): boolean {
    return this.#wanted === 'stopped'
  }

  /** Why no further transmission may begin, when that is so. */
  get leaving(): Reason | undefined {
    return this.#leaving
  }

  /** What the line is because somebody wants it so; undefined where it is what its modem is. */
  get state(): 'disabled' | 'passive' | 'stopped' | undefined {
    return this.#wanted === 'unknown' || this.#wanted === 'running' ? undefined : this.#wanted
  }

  /** Never rejects. */
  async begin(): Promise<void> {
    const { config, memory } = this.#parts
    const remembered = await memory.recall(this.#name).catch(() => undefined)
    if (this.#wanted !== 'unknown') return
    const disabled = remembered === undefined ? config.disabled : remembered === 'yes'
    if (disabled) this.#wanted = 'disabled'
    else this.#resume()
  }

  disable(): void {
    if (this.stopped) return
    this.#remember('yes')
    this.#leave('disabled', { code: 'disabled', text: 'The line was switched off' })
  }

  enable(): void {
    if (this.stopped) return
    this.#remember('no')
    this.#resume()
  }

  /** Its own member is away. */
  wake(): void {
    if (this.#wanted === 'passive') this.#run()
  }

  /** Its own member is back. */
  rest(): void {
    if (this.#parts.config.passive === undefined || !this.running) return
    this.#leave('passive', { code: 'passive', text: "The line is its own member's again" })
  }

  /** For good; what is under way is for the line to end. */
  stop(): void {
    this.#wanted = 'stopped'
    this.#leaving = { code: 'stopping', text: 'The program is stopping' }
  }

  #resume(): void {
    if (this.#parts.config.passive === undefined) this.#run()
    else this.#wanted = 'passive'
  }

  #run(): void {
    this.#wanted = 'running'
    this.#leaving = undefined
    this.#parts.run()
  }

  #leave(wanted: 'disabled' | 'passive', reason: Reason): void {
    const { leave, underWay, patience, letGo } = this.#parts
    this.#wanted = wanted
    this.#leaving = reason
    leave(reason)
    void orLater(underWay(), patience).then(() => {
      if (this.#wanted === wanted) letGo()
    })
  }

  get #name(): string {
    return `line/${this.#parts.node}/${this.#parts.config.id}/disabled`
  }

  #remember(value: string): void {
    const { memory, log } = this.#parts
    memory
      .remember(this.#name, value)
      .catch((error: unknown) =>
        log.error({}, `Whether the line is switched off could not be stored: ${errorText(error)}`),
      )
  }
}

/** Resolves with what is under way, or after the time given. */
export async function orLater(under: Promise<unknown> | undefined, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([under, late])
  clearTimeout(timer)
}
