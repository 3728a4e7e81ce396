/** Which codes are open: ended by use, time, wrong proofs or newer ones, each with its own reason. */
import { expect, test } from 'vitest'
import {
  ATTEMPTS_A_MINUTE,
  attempt,
  bar,
  CODE_MS,
  find,
  type Invitations,
  invite,
  MOST_OPEN,
  noInvitations,
  use,
  wrongProof,
} from '#pair/ceremony/invitations.ts'

const secret = Buffer.from('secret')
const one = invite(noInvitations, { id: 'one', secret }, 0)
const reason = (state: Invitations, id = 'one', certificate = 'c') => {
  const found = find(state, id, certificate)
  return 'refused' in found ? found.refused.code : 'open'
}

test('an open code is found, another is not known', () => {
  expect(reason(one)).toBe('open')
  expect(reason(one, 'two')).toBe('pair-code-unknown')
})

test('a code lasts ten minutes to the millisecond', () => {
  expect(reason(attempt(one, CODE_MS - 1).state)).toBe('open')
  expect(reason(attempt(one, CODE_MS).state)).toBe('pair-code-expired')
})

test('a code works once', () => {
  expect(reason(use(one, 'one'))).toBe('pair-code-used')
})

test('the third wrong proof ends a code, and only that one', () => {
  const two = invite(one, { id: 'two', secret }, 0)
  const twice = wrongProof(wrongProof(two, 'one'), 'one')
  expect(reason(twice)).toBe('open')
  const thrice = wrongProof(twice, 'one')
  expect(reason(thrice)).toBe('pair-code-exhausted')
  expect(reason(thrice, 'two')).toBe('open')
})

test('the oldest code makes room for a newer one', () => {
  let state = noInvitations
  for (let n = 0; n <= MOST_OPEN; n += 1) state = invite(state, { id: `${n}`, secret }, n)
  expect(state.open).toHaveLength(MOST_OPEN)
  expect(reason(state, '0')).toBe('pair-code-replaced')
  expect(reason(state, `${MOST_OPEN}`)).toBe('open')
})

test('a minute holds so many attempts, and the next minute as many again', () => {
  let state = one
  for (let n = 0; n < ATTEMPTS_A_MINUTE; n += 1) {
    const tried = attempt(state, n)
    expect(tried.refused).toBeUndefined()
    state = tried.state
  }
  expect(attempt(state, 1_000).refused?.code).toBe('pair-rate-limited')
  expect(attempt(state, 59_999).refused?.code).toBe('pair-rate-limited')
  expect(attempt(state, 60_000).refused).toBeUndefined()
})

test('what is refused for its rate does not prolong the wait', () => {
  let state = one
  for (let n = 0; n < 100; n += 1) state = attempt(state, n).state
  expect(state.attempts).toHaveLength(ATTEMPTS_A_MINUTE)
})

test('a code made before a removal does not bring the removed member back, a later one does', () => {
  const barred = bar(one, 'c')
  expect(reason(barred)).toBe('pair-member-removed')
  expect(reason(barred, 'one', 'another')).toBe('open')
  expect(reason(invite(barred, { id: 'two', secret }, 1), 'two')).toBe('open')
})

test('what has ended is forgotten in the end', () => {
  let state = noInvitations
  for (let n = 0; n < 1_000; n += 1) state = use(invite(state, { id: `${n}`, secret }, n), `${n}`)
  expect(state.ended.length).toBeLessThan(100)
  expect(reason(state, '0')).toBe('pair-code-unknown')
  expect(reason(state, '999')).toBe('pair-code-used')
})
