/** Pages back from the newest record: every record once, whatever the length of the page. */
import { expect, it } from 'vitest'
import { pageStart } from '../../../src/panel/records/audit-model.ts'

it.each([1, 7, 50, 200])('reads all records once, %s at a time', (page) => {
  const read: number[] = []
  let first = 124
  while (first > 1) {
    const { after, limit } = pageStart(first, page)
    read.push(...Array.from({ length: limit }, (_, index) => after + 1 + index).reverse())
    first = after + 1
  }
  expect(read).toEqual(Array.from({ length: 123 }, (_, index) => 123 - index))
})
