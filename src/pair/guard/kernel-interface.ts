/**
 * The network interface of the address: orders to the kernel through one resident `ip -batch` (0.007 ms each, and it
 * lives on after an error with -force), and what the kernel says about it. Carrier and addresses are also asked for
 * now and then, since netlink may drop news when the machine is busy.
 */
import { type InterfaceNews, parseNews, watchInterface } from './interface-watch.ts'
import { resident } from './resident.ts'

const ASK_AGAIN_MS = 2_000
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
  let carrier: boolean | undefined
  let written = 0
  let lastError = ''

  function tell(news: InterfaceNews): void {
    if (news.news === 'carrier' && news.up !== carrier) {
      carrier = news.up
      onCarrier(news.up)
    }
    for (const listener of listeners) listener(news)
  }
  const batch = resident({
    command: 'ip',
    args: ['-o', '-force', '-batch', '-'],
    onStarted() {
      written = 0
      failures.clear()
    },
    onLine(line) {
      const news = parseNews(line, name)
      if (!news) return
      tell(news)
      // Asked for after the addresses, so they have been told.
      if (news.news === 'carrier') ready.resolve()
    },
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
      ask()
    },
  })
  function order(line: string, onFailed: (text: string) => void): boolean {
    if (!batch.write(line)) return false
    failures.set(++written, onFailed)
    const oldest = failures.keys().next().value
    if (failures.size > REMEMBERED && oldest !== undefined) failures.delete(oldest)
    return true
  }
  function ask(): void {
    order(`addr show dev ${name}`, () => {})
    order(`link show dev ${name}`, () => {
      tell({ news: 'carrier', up: false })
      ready.resolve()
    })
  }
  const watch = watchInterface(name, tell, ask, onTrouble)
  const again = setInterval(ask, ASK_AGAIN_MS)

  return {
    name,
    carrier: () => carrier ?? false,
    order,
    dropOrders: batch.replace,
    listen: (take) => listeners.push(take),
    ready: ready.promise,
    async close() {
      clearInterval(again)
      watch.close()
      await batch.close()
    },
  }
}
