/** What a person typed as a value of the configuration, and the places that messages can stand at. */
import { describe, expect, it } from 'vitest'
import {
  type AnyField,
  columnsOf,
  entryTitle,
  fieldPaths,
  linesOf,
  newEntry,
  typedValue,
  withColumn,
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

describe('columns that are there for one kind only', () => {
  const lines = field('lines', 'table', {
    columns: [
      field('id', 'text', { required: true }),
      field('kind', 'choice', { required: true, choices: ['gsm', 'fax'] }),
      field('pin', 'secret', { only: { key: 'kind', is: ['gsm'] } }),
      field('station', 'text', { required: true, only: { key: 'kind', is: ['fax'] } }),
    ],
  })
  const names = (entry: Record<string, unknown>) => columnsOf(lines, entry).map(({ path }) => path)

  it('are shown for it, and have places for messages there', () => {
    expect(entryTitle(columnsOf(lines, {}), { id: 'a', kind: 'gsm' })).toBe('a · gsm')
    expect(names({ kind: 'gsm' })).toEqual(['id', 'kind', 'pin'])
    expect(names({ kind: 'fax' })).toEqual(['id', 'kind', 'station'])
    expect(fieldPaths(lines, [{ kind: 'fax' }], 'lines')).toEqual([
      'lines',
      'lines[0]',
      'lines[0].id',
      'lines[0].kind',
      'lines[0].station',
    ])
    expect(newEntry(lines.columns ?? [])).toEqual({ id: '', kind: 'gsm' })
  })

  it('take their values with them when the kind is another one, and what the form does not know stays', () => {
    const gsm = { id: 'a', kind: 'gsm', pin: '***', extra: 1 }
    expect(withColumn(lines, gsm, 'kind', 'fax')).toEqual({ id: 'a', kind: 'fax', extra: 1 })
    expect(withColumn(lines, gsm, 'pin', undefined)).toEqual({ id: 'a', kind: 'gsm', extra: 1 })
    expect(withColumn(lines, gsm, 'id', 'b')).toEqual({ ...gsm, id: 'b' })
  })
})
