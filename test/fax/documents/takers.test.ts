/** What is refused is removed, unless somebody else wants the same bytes. */
import { beforeEach, expect, test } from 'vitest'
import { createTakers } from '#fax/documents/takers.ts'

let removed: string[]
let needed = false
let takers: ReturnType<typeof createTakers>
beforeEach(() => {
  removed = []
  needed = false
  takers = createTakers({ needed: async () => needed, remove: async (hash) => void removed.push(hash) })
})

test('what one alone brought and was refused goes', async () => {
  await takers.join('a', true).leave()
  expect(removed).toEqual(['a'])
})

test('what was here before stays, and what a message refers to', async () => {
  await takers.join('a', false).leave()
  needed = true
  await takers.join('b', true).leave()
  expect(removed).toEqual([])
})

test('of several at a time the last one clears up, and nobody where one of them was told that it is taken', async () => {
  const [first, second] = [takers.join('a', true), takers.join('a', false)]
  await first.leave()
  expect(removed).toEqual([])
  await second.leave()
  expect(removed).toEqual(['a'])
  const [third, fourth] = [takers.join('b', true), takers.join('b', false)]
  third.take()
  await fourth.leave()
  expect(removed).toEqual(['a'])
})

test('whoever comes while it is asked whether it is needed keeps it', async () => {
  const leaving = takers.join('a', true).leave()
  const other = takers.join('a', false)
  await leaving
  other.take()
  expect(removed).toEqual([])
})
