/** Another member's lines: connected only while it is lost and this member is active. */
import { expect, it } from 'vitest'
import { passiveLines } from '#dispatch/passive-lines.ts'

it('wakes the lines of a lost member and lets them go when it is back', () => {
  const said: string[] = []
  const line = (id: string) => ({
    id,
    wake: () => said.push(`${id} wakes`),
    rest: () => said.push(`${id} rests`),
  })
  const lines = passiveLines(
    [{ id: 'own' }, { id: 'theirs', passive: 'box-b' }],
    [line('own'), line('theirs')],
  )
  lines.update(true, () => true)
  lines.update(false, () => false)
  lines.update(true, (node) => node !== 'box-b')
  lines.update(true, () => true)
  expect(said).toEqual(['theirs rests', 'theirs rests', 'theirs wakes', 'theirs rests'])
})
