/** Raw frames for the guard: announcements, and questions to the network, through the resident neighbour.pl. */
import { fileURLToPath } from 'node:url'
import { resident } from './resident.ts'

/** Three questions 100 ms apart and 200 ms of waiting, and what a loaded machine takes besides. */
const ANSWER_MS = 2_000

export interface Neighbour {
  announce(): void
  /** @returns the hardware address of who has the address, `free`, or `failed` when the question could not be asked */
  probe(): Promise<string>
  router(): Promise<boolean>
  close(): Promise<void>
}

export function openNeighbour(
  name: string,
  address: string,
  router: string | undefined,
  onTrouble: (text: string) => void,
): Neighbour {
  const script = fileURLToPath(new URL('neighbour.pl', import.meta.url))
  const waiting = new Map<string, (answer: string) => void>()
  const helper = resident({
    command: 'perl',
    args: [script, name, address, ...(router === undefined ? [] : [router])],
    onLine(line) {
      const [kind = '', answer = ''] = line.split(/ (.*)/s)
      if (kind === 'error') onTrouble(answer)
      waiting.get(kind)?.(answer)
    },
    onError: onTrouble,
    onEnded: onTrouble,
  })
  async function ask(kind: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    waiting.set(kind, resolve)
    const timer = setTimeout(() => resolve('failed'), ANSWER_MS)
    if (!helper.write(kind)) resolve('failed')
    const answer = await promise
    clearTimeout(timer)
    return answer
  }
  return {
    announce() {
      if (!helper.write('announce'))
        onTrouble('the address could not be announced: neighbour.pl does not run')
    },
    probe: () => ask('probe'),
    router: async () => (await ask('router')) === 'yes',
    close: helper.close,
  }
}
