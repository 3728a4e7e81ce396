/** Parameters as bytes: what clients encode, half encode and get wrong. */
import { describe, expect, test } from 'vitest'
import { credentials, Form, recipientsOf, xmlText } from '#intake/compat/form.ts'

describe('recipients', () => {
  test.each([
    ['to=%2B491,%2B492', ['+491', '+492']],
    ['to=+491,+492', ['+491', '+492']],
    ['to=491%2C+492', ['491', '+492']],
    ['to=501+234+567', ['501 234 567']],
    ['to=+ops', ['ops']],
    ['to=,%20,', []],
    ['TO=1', []],
    ['to=12&to=13', ['12']],
  ])('%s', (query, to) => {
    expect(new Form(query).list('to')).toEqual(to)
  })

  test('as JSON has them', () => {
    expect(recipientsOf('+491, 492', 'to')).toEqual(['+491', '492'])
    expect(recipientsOf(['+491', 492, ''], 'to')).toEqual(['+491', '492'])
    expect(recipientsOf(undefined, 'to')).toEqual([])
    expect(() => recipientsOf([null], 'to')).toThrow(expect.objectContaining({ field: 'to[0]' }))
  })
})

test('a percent sign that begins no byte stands for itself; names may fold', () => {
  const form = new Form('Text=100%+sure%3f%zz&empty=&bare', true)
  expect(form.text('tEXT')).toBe('100% sure?%zz')
  expect(form.text('empty')).toBe('')
  expect(form.text('bare')).toBe('')
  expect(form.first('empty', 'bare', 'text')).toBe('100% sure?%zz')
  expect(form.text('none')).toBeUndefined()
})

test('credentials: the password may hold colons, the user may be empty', () => {
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`
  expect(credentials(basic('user:a:b'))).toBe('a:b')
  expect(credentials(basic(':x'))).toBe('x')
  expect(credentials(basic('x'))).toBeUndefined()
  expect(credentials('bearer  abc ')).toBe('abc')
  expect(credentials('Digest x')).toBeUndefined()
  expect(credentials(undefined)).toBeUndefined()
})

test('XML holds no sign that it cannot', () => {
  expect(xmlText('<a & "b">\u0001\ud800🔥')).toBe('&lt;a &amp; &quot;b&quot;&gt;🔥')
})
