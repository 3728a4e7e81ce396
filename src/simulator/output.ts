/**
 * What leaves a simulated modem: lines in the form of ITU-T V.250, 5.7, collected for one write a turn of the
 * loop, and the disturbances that tests put between them. Knows wires only by their write().
 */

/** One end of a cable, as the modem sees it. */
export interface Wire {
  /** Characters are octets (latin1). */
  write(text: string): void
  /** The modem was unplugged. */
  cut(): void
}

/** Where a disturbance shows up, once for each of its times. */
export const places = [
  /** At once, even in the middle of a text. */
  'now',
  /** Between a command and its answer. */
  'before',
  /** Glued behind the final result. */
  'behind',
  /** In the middle of a line of the answer. */
  'within',
  /** Between AT+CMGS and its prompt. */
  'prompt',
] as const
export type Place = (typeof places)[number]

interface Disturbance {
  text: string
  place: Place
  times: number
}

/** V.250, table 1. */
const numericResults: Readonly<Record<string, string>> = {
  OK: '0',
  RING: '2',
  'NO CARRIER': '3',
  ERROR: '4',
}

export class Output {
  readonly wires = new Set<Wire>()
  /** Bytes a write, 0 for whole. */
  split = 0
  #text = ''
  #scheduled = false
  readonly #pieces: string[] = []
  #pumping = false
  readonly #disturbances: Disturbance[] = []

  /** @param text raw characters; written at the end of this turn together with what else comes up */
  write(text: string): void {
    this.#text += text
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(this.#flush)
  }

  unsolicited(text: string): void {
    this.write(`\r\n${text}\r\n`)
  }

  /** Information lines and the final result of a command line. */
  answer(lines: readonly string[], result: string, style: { verbose: boolean; quiet: boolean }): void {
    let text = ''
    for (const line of lines) text += style.verbose ? `\r\n${line}\r\n` : `${line}\r\n`
    if (!style.quiet) text += style.verbose ? `\r\n${result}\r\n` : `${numericResults[result] ?? result}\r`
    this.write(this.#disturbances.length === 0 ? text : this.#disturb(text))
  }

  prompt(text: string): void {
    this.write(this.#take('prompt') + text)
  }

  disturb(text: string, place: Place, times: number): void {
    if (place === 'now') this.write(text.repeat(times))
    else this.#disturbances.push({ text, place, times })
  }

  /** Breaks off in the middle of what is being written piece by piece. */
  breakOff(): void {
    this.#pieces.length = 0
  }

  #disturb(text: string): string {
    const before = this.#take('before')
    const behind = this.#take('behind')
    const within = this.#take('within')
    // Behind the line end that begins the answer, then into the middle of its first line.
    const end = text.indexOf('\r', 2)
    const middle = within === '' ? 0 : Math.floor((2 + Math.max(end, 2)) / 2)
    return before + text.slice(0, middle) + within + text.slice(middle) + behind
  }

  #take(place: Place): string {
    const index = this.#disturbances.findIndex((disturbance) => disturbance.place === place)
    const found = this.#disturbances[index]
    if (found === undefined) return ''
    if (--found.times === 0) this.#disturbances.splice(index, 1)
    return found.text
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    const text = this.#text
    this.#text = ''
    if (this.split === 0 && !this.#pumping) {
      this.#send(text)
      return
    }
    const size = this.split === 0 ? text.length : this.split
    for (let from = 0; from < text.length; from += size) this.#pieces.push(text.slice(from, from + size))
    if (this.#pumping) return
    this.#pumping = true
    this.#pump()
  }

  /** One piece a turn of the loop, so that the other side can read them apart. */
  readonly #pump = (): void => {
    const piece = this.#pieces.shift()
    if (piece === undefined) {
      this.#pumping = false
      return
    }
    this.#send(piece)
    setImmediate(this.#pump)
  }

  #send(text: string): void {
    if (text !== '') for (const wire of this.wires) wire.write(text)
  }
}
