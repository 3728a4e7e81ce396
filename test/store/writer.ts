/**
 * A process that writes to a store until it is killed, and says on stdout what was acknowledged: `accepted ID`,
 * `intended ID`, `sent ID`, `received FINGERPRINT`. Its parent (crash.test.ts) kills it and looks whether all is there.
 */
import { openStore } from '#store/sqlite.ts'
import { acceptance, accepted, change, intend, part } from './fixtures.ts'

const [directory = '', run = ''] = process.argv.slice(2)
const store = await openStore({ directory, node: 'a' })
const say = (word: string, id: string) => process.stdout.write(`${word} ${id}\n`)

async function lives(line: string): Promise<void> {
  for (let n = 0; ; n++) {
    const one = acceptance({
      at: Date.now(),
      text: 'x'.repeat((n * 37) % 2_000),
      ...(n % 3 === 0 ? { key: { key: `${run}-${line}-${n}`, bodyHash: 'h' } } : {}),
    })
    const id = one.deliveries[0]?.id ?? ''
    await store.accept([one])
    say('accepted', id)
    await store.record([change(id, intend(line))])
    say('intended', id)
    await store.record([change(id, accepted(n % 256, Date.now() + 60_000))])
    say('sent', id)
    const fingerprint = `${run}-${line}-${n}`
    await store.receive(part({ fingerprint, text: fingerprint }))
    say('received', fingerprint)
  }
}

say('open', '')
await Promise.all(['gsm0', 'gsm1', 'gsm2', 'gsm3'].map(lives))
