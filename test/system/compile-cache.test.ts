/**
 * What a start has compiled is kept for the next one, also when a power cut ends it: neither the program nor its threads
 * strip types again, for which Node would load a compiler of its own and keep its 14 MB.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startAppliance, until } from './appliance.ts'

test('after a killed one a start strips no file again', { timeout: 60_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'compiled-'))
  const environment = {
    XDG_CACHE_HOME: join(directory, 'cache'),
    // Node says on stderr what it looks for in the cache, and what it does not find (doc/api/cli.md).
    NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
  }
  const start = async () => {
    const box = await startAppliance({ directory, ports: ['sim://gsm?network=20'], environment })
    await box.ready(1)
    return box
  }
  // Each thread writes its own right after it has begun.
  const written = (log: string, file: string) =>
    new RegExp(`writing cache for StrippedTypeScript \\S*${file}.*success`).test(log)
  try {
    const first = await start()
    await until(
      () => ['src/app.ts', 'store/worker.ts'].every((file) => written(first.log(), file)),
      'the cache is written',
    )
    await first.kill('SIGKILL')
    const second = await start()
    // The program itself begins once without the cache, and then anew as the same process.
    const again = second.log().slice(second.log().lastIndexOf('src/main.ts...success'))
    await second.kill('SIGKILL')
    expect(again).toContain('retrieving transpile cache for StrippedTypeScript')
    expect(again.match(/no transpile cache for .*/g)).toBeNull()
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
