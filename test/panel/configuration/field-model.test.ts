/** What a person typed as a value of the configuration, and the places that messages can stand at. */
import { describe, expect, it } from 'vitest'
import {
  type AnyField,
  entryTitle,
  fieldPaths,
  linesOf,
  newEntry,
  typedValue,
} from '../../../src/panel/configuration/field-model.ts'

const field = (path: string, type: AnyField['type'], more: Partial<AnyField> = {}): AnyField => ({
  path,
  label: path,
  type,
  help: '',
  ...more,
})

const routes = field('routes', 'table', {
  columns: [
    field('match', 'text', { required: true }),
    field('lines', 'list', { required: true }),
    field('cost', 'number'),
  ],
})

describe('a typed value', () => {
  it('is as the file writes it, and nothing where nothing was typed', () => {
    expect(typedValue(field('a', 'text'), ' x ')).toBe('x')
    expect(typedValue(field('a', 'text'), '  ')).toBeUndefined()
    expect(typedValue(field('a', 'number'), '12')).toBe(12)
    expect(typedValue(field('a', 'duration'), '30m')).toBe('30m')
    expect(typedValue(field('a', 'list'), 'one\n\n two \n')).toEqual(['one', 'two'])
    expect(typedValue(field('a', 'list'), '\n')).toBeUndefined()
  })

  it('stays as it was typed where it cannot be read, for the appliance to say what is wrong', () => {
    expect(typedValue(field('a', 'number'), 'twelve')).toBe('twelve')
    expect(linesOf(['a', 'b'])).toBe('a\nb')
    expect(linesOf(undefined)).toBe('')
  })
})

describe('a table', () => {
  it('has a place for every cell', () => {
    const value = [{ match: '+49*', lines: ['gsm0'], cost: 1 }]
    expect(fieldPaths(routes, value, 'routes')).toEqual([
      'routes',
      'routes[0]',
      'routes[0].match',
      'routes[0].lines',
      'routes[0].cost',
    ])
    expect(fieldPaths(routes, undefined, 'routes')).toEqual(['routes'])
  })

  it('begins a new entry with what is required, and names entries by what they hold', () => {
    expect(newEntry(routes.columns ?? [])).toEqual({ match: '', lines: [] })
    expect(entryTitle(routes.columns ?? [], { match: '+49*', lines: ['gsm0', 'gsm1'], cost: 0 })).toBe(
      '+49* → gsm0, gsm1',
    )
  })
})
