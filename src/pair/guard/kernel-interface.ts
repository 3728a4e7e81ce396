/**
 * The network interface of the address: orders to the kernel through one resident `ip -batch` (0.007 ms each, and it
 * lives on after an error with -force), and what the kernel says about it. Carrier and addresses are also asked for
 * now and then, since netlink may drop news when the machine is busy.
 */
import { monotonic } from '#core/clock.ts'
import { type InterfaceNews, parseNews, watchInterface } from './interface-watch.ts'
import { resident } from './resident.ts'

const ASK_AGAIN_MS = 2_000
/** What `netconf show dev lo` says in every network namespace, asked last so that its answer ends the answer. */
const LAST_LINE = /^inet lo /
/** Orders whose failure can still be attributed. */
const REMEMBERED = 64

export interface KernelInterface {
  readonly name: string
  carrier(): boolean
  /** @param onFailed told in `ip`'s own words; success has no sign of its own, so wait for the news */
  order(line: string, onFailed: (text: string) => void): boolean
  /** Kills what carries out the orders, with those that it has not carried out yet. */
  dropOrders(): void
  listen(take: (news: InterfaceNews) => void): void
  /** What was there at the start has been told. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

export function openInterface(
  name: string,
  onCarrier: (up: boolean) => void,
  onTrouble: (text: string) => void,
): KernelInterface {
  const listeners: ((news: InterfaceNews) => void)[] = []
  const failures = new Map<number, (text: string) => void>()
  const ready = Promise.withResolvers<void>()
  /** The addresses that it has as far as was told. */
  const present = new Map<string, Extract<InterfaceNews, { news: 'address' }>>()
  let carrier: boolean | undefined
  let written = 0
  let lastError = ''
  /** What was answered of the question under way; what the monitor told meanwhile is newer than the answer. */
  let asking: { answered: InterfaceNews[]; outdated: boolean; line: string; at: number } | undefined

  function tell(news: InterfaceNews): void {
    if (news.news === 'carrier') {
      if (news.up !== carrier) onCarrier(news.up)
      carrier = news.up
    } else if (news.here) present.set(news.address, news)
    else present.delete(news.address)
    for (const listener of listeners) listener(news)
  }
  function noticed(news: InterfaceNews): void {
    // A renewal is news too, and changes nothing.
    const same = news.news === 'carrier' ? news.up === carrier : news.here === present.has(news.address)
    if (asking && !same) asking.outdated = true
    tell(news)
  }
  /** An address takes two lines here, and one in the monitor. */
  function answered(line: string): void {
    if (!asking) return
    if (LAST_LINE.test(line)) {
      endAnswer(asking)
      return
    }
    const half = /^\s+inet/.test(line)
    const news = half ? undefined : parseNews(asking.line + line, name)
    asking.line = half ? `0: ${name} ${line}\\` : ''
    if (news) asking.answered.push(news)
  }
  function endAnswer({ answered: all, outdated }: NonNullable<typeof asking>): void {
    asking = undefined
    if (outdated) {
      ask()
      return
    }
    const seen = new Set(all.map((each) => (each.news === 'address' ? each.address : '')))
    for (const known of [...present.values()]) if (!seen.has(known.address)) tell({ ...known, here: false })
    if (!all.some((each) => each.news === 'carrier')) tell({ news: 'carrier', up: false })
    for (const each of all) tell(each)
    ready.resolve()
  }
  const batch = resident({
    command: 'ip',
    args: ['-force', '-batch', '-'],
    onStarted() {
      written = 0
      failures.clear()
    },
    onLine: answered,
    onError(text) {
      // `Command failed -:N` follows its reason; N counts the lines since the start.
      const number = /^Command failed -:(\d+)$/.exec(text)?.[1]
      if (number === undefined) {
        lastError = text
        return
      }
      failures.get(Number(number))?.(lastError)
      failures.delete(Number(number))
    },
    onEnded(text) {
      onTrouble(text)
      asking = undefined
    },
  })
  function order(line: string, onFailed: (text: string) => void): boolean {
    if (!batch.write(line)) return false
    failures.set(++written, onFailed)
    const oldest = failures.keys().next().value
    if (failures.size > REMEMBERED && oldest !== undefined) failures.delete(oldest)
    return true
  }
  /** Not `link show`, nor -o: after them an `ip` of iproute2 6.1 shows no addresses to the end of its batch. */
  function ask(): void {
    if (asking) return
    asking = { answered: [], outdated: false, line: '', at: monotonic() }
    order(`addr show dev ${name}`, () => {})
    order('netconf show dev lo', () => {})
  }
  const watch = watchInterface(name, noticed, ask, onTrouble)
  function dropOrders(): void {
    asking = undefined
    batch.replace()
  }
  const again = setInterval(() => {
    if (asking && monotonic() - asking.at > ASK_AGAIN_MS / 2) {
      onTrouble(`ip gave no answer for ${ASK_AGAIN_MS / 2} ms: started anew`)
      dropOrders()
    }
    ask()
  }, ASK_AGAIN_MS)

  return {
    name,
    carrier: () => carrier ?? false,
    order,
    dropOrders,
    listen: (take) => listeners.push(take),
    ready: ready.promise,
    async close() {
      clearInterval(again)
      watch.close()
      await batch.close()
    },
  }
}
