import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openStore } from '#store/sqlite.ts'
import { acceptance } from './fixtures.ts'

test('the reserve can be changed while the store is open', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-'))
  const store = await openStore({ directory, node: 'a', reserve: 1 })
  onTestFinished(async () => {
    await store.close()
    await rm(directory, { recursive: true })
  })
  const accept = () => store.accept([acceptance()])
  expect(await accept()).toEqual([{ result: 'accepted' }])
  await store.setReserve(2 ** 60)
  expect(await accept()).toEqual([{ result: 'full' }])
  await store.setReserve(1)
  expect(await accept()).toEqual([{ result: 'accepted' }])
})
