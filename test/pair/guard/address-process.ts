/**
 * Plays the guard as far as the address goes: takes `add`, `renew`, `remove`, `close`, `every MS` (renew that often)
 * as lines and says what the driver tells as lines.
 */
import { createInterface } from 'node:readline'
import { profileNamed } from '../../../src/config/heartbeat.ts'
import type { VirtualIp } from '../../../src/config/types.ts'
import { openCommonAddress } from '../../../src/pair/guard/common-address.ts'
import { pairConfig } from './pair-config.ts'

const [driver, address, router] = process.argv.slice(2)
const vip: VirtualIp = {
  address: address ?? '',
  prefix: address?.includes(':') ? 64 : 24,
  family: address?.includes(':') ? 6 : 4,
  interface: 'e0',
  driver: driver === 'nft' ? 'nft' : 'iproute2',
}
const say = (...words: unknown[]): void => console.log(words.join(' '))
const common = openCommonAddress(
  pairConfig({ vip, profile: profileNamed('fast', vip.driver), ...(router && { lan: { router } }) }),
  {
    carrier: (up) => say('carrier', up),
    added: () => say('added'),
    removed: () => say('removed'),
    failed: (text) => say('failed', text),
    trouble: (text) => say('trouble', text),
  },
)
common.ready.then(
  () => say('ready'),
  (error) => say('failed', error),
)
let timer: NodeJS.Timeout | undefined
for await (const line of createInterface(process.stdin)) {
  const [word, span] = line.split(' ')
  if (word === 'add') common.add()
  else if (word === 'renew') common.renew()
  else if (word === 'remove') common.remove()
  else if (word === 'announce') common.announce()
  else if (word === 'here') say('here', common.here())
  else if (word === 'probe') say('probed', (await common.probe()) ?? 'free')
  else if (word === 'router') say('router', await common.router())
  else if (word === 'every') timer = setInterval(common.renew, Number(span))
  else if (word === 'quiet') clearInterval(timer)
  else if (word === 'close') {
    clearInterval(timer)
    await common.close()
    say('closed')
    process.exit()
  }
}
process.exit()
