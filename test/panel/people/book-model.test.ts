/** Finding somebody among thousands, and slips in an id. */
import { expect, it } from 'vitest'
import { idSlip, matching } from '../../../src/panel/people/book-model.ts'

const people = [
  { id: 'ops', name: 'Operations Berlin', sms: '+49 170 1234567' },
  { id: 'night', name: 'Night shift', mail: 'night@example.com' },
  { id: 'all', members: ['ops', 'night'] },
]

it('finds by any part of anything, all words together, and numbers without their spaces', () => {
  const ids = (search: string) => matching(people, search).map(({ id }) => id)
  expect(ids('')).toEqual(['ops', 'night', 'all'])
  expect(ids('BERLIN oper')).toEqual(['ops'])
  expect(ids('1701234567')).toEqual(['ops'])
  expect(ids('night')).toEqual(['night', 'all'])
  expect(ids('nobody')).toEqual([])
})

it('names slips in an id as the appliance would', () => {
  expect(idSlip('', [])).toBe('empty')
  expect(idSlip('9x', [])).toBe('letters')
  expect(idSlip('Ops', ['ops'])).toBe('taken')
  expect(idSlip('ops-2', ['ops'])).toBeUndefined()
})
