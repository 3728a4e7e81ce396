/**
 * The repository's laws, as a test: imports go down, rooms stay small, names say something, nothing unfinished.
 * Method: read every source file as text; each law says what to do instead.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** Each room may import itself and what stands below it. Rooms in one row may not import each other. */
const floors = [
  ['main.ts', 'app.ts'],
  ['cli'],
  ['intake'],
  ['notify'],
  ['dispatch'],
  ['pair'],
  ['sms', 'fax'],
  ['lines'],
  ['store'],
  ['config'],
  ['messages'],
  ['core'],
]
/** Stands beside the floors: imports core only, and only these may import it. */
const simulatorUsers = new Set(['cli', 'lines', 'simulator'])

const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room))

function filesUnder(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    if (statSync(path).isDirectory()) return filesUnder(path)
    return /\.(ts|tsx|mjs)$/.test(name) ? [relative(root, path)] : []
  })
}

const sources = filesUnder(join(root, 'src')).map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}))
const tests = filesUnder(join(root, 'test')).map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}))

const roomOf = (path: string): string => path.split('/')[1] ?? ''

/** @param erased whether imports that only name types count: they are gone when the program runs */
function importsOf(file: { path: string; text: string }, erased = true): string[] {
  const text = erased ? file.text : file.text.replaceAll(/^(?:import|export) type [^;]*?from '[^']+'$/gm, '')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].flatMap(([, target]) => {
    if (target?.startsWith('#')) return [`src/${target.slice(1)}`]
    if (target?.startsWith('.')) return [relative(root, resolve(root, dirname(file.path), target))]
    return []
  })
}

describe('the tidy laws', () => {
  it('knows every room', () => {
    const rooms = new Set(sources.map(({ path }) => roomOf(path)))
    rooms.delete('simulator')
    rooms.delete('panel')
    expect([...rooms].filter((room) => floorOf(room) < 0)).toEqual([])
  })

  it('lets imports go down only', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file).flatMap((target) => {
        const from = roomOf(file.path)
        const to = roomOf(target)
        // main.ts loads a command, and a command starts the appliance: the two top rooms are one entry.
        if (file.path === 'src/cli/run.ts' && target === 'src/app.ts') return []
        if (from === to) return []
        // Browser code knows the shapes of the interface and nothing else of the appliance.
        if (from === 'panel')
          return to === 'intake'
            ? []
            : [`${file.path} imports ${target}; the panel may import types of the interface only`]
        if (to === 'panel') return [`${file.path} imports ${target}; nothing may import the panel`]
        if (to === 'simulator') return simulatorUsers.has(from) ? [] : [`${file.path} imports the simulator`]
        if (from === 'simulator')
          return to === 'core' ? [] : [`${file.path} imports ${target}; the simulator may import core only`]
        return floorOf(from) < floorOf(to) ? [] : [`${file.path} imports ${target}, which stands above it`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('lets the panel import types only', () => {
    const wrong = sources
      .filter(({ path }) => roomOf(path) === 'panel')
      .flatMap((file) =>
        importsOf(file, false)
          .filter((target) => roomOf(target) !== 'panel')
          .map((target) => `${file.path} imports ${target}`),
      )
    expect(wrong).toEqual([])
  })

  it('has no cycles', () => {
    const graph = new Map(sources.map((file) => [file.path, importsOf(file, false)]))
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      if (done.has(path) || trail.includes(path)) return
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
      done.add(path)
    }
    for (const path of graph.keys()) visit(path, [])
    expect(cycles).toEqual([])
  })

  it('keeps files within 500 lines, tables excepted', () => {
    const long = [...sources, ...tests].filter(
      ({ path, text }) => !path.endsWith('.table.ts') && text.split('\n').length > 500,
    )
    expect(long.map(({ path }) => path)).toEqual([])
  })

  it('gives files names that say something', () => {
    const empty = /(^|\/)(index|utils?|helpers?|common|manager|misc)\.[a-z]+$/
    expect([...sources, ...tests].map(({ path }) => path).filter((path) => empty.test(path))).toEqual([])
  })

  it('opens every source file with what it is for', () => {
    const silent = sources.filter(({ text }) => !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(text))
    expect(silent.map(({ path }) => path)).toEqual([])
  })

  const bans: { pattern: RegExp; instead: string }[] = [
    { pattern: /\b(TODO|FIXME|HACK)\b/, instead: 'finish it, or say in the closing note that it is missing' },
    { pattern: /\bas unknown as\b|\bas any\b|: any\b/, instead: 'give it its type, or parse it' },
    { pattern: /@ts-(ignore|expect-error|nocheck)/, instead: 'mend the type' },
    { pattern: /biome-ignore/, instead: 'mend what the linter found' },
    {
      pattern: /shell: *true|\bexecSync\(|[^.\w]exec\(/,
      instead: 'spawn with an argument list; no shell, ever',
    },
    {
      pattern: /process\.env\[?['.](VITEST|NODE_ENV)/,
      instead: 'inject what differs; the program never asks whether it is tested',
    },
  ]
  it.each(bans)('has no $pattern in src (instead: $instead)', ({ pattern }) => {
    expect(sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('reads the clock through core only', () => {
    // The panel may import nothing of core and has a clock of its own.
    const allowed = /^src\/((core|cli|simulator)\/|panel\/shell\/clock\.ts$)/
    const hidden = sources.filter(({ path, text }) => !allowed.test(path) && /\bDate\.now\(/.test(text))
    expect(hidden.map(({ path }) => path)).toEqual([])
  })

  it('focuses and skips no test', () => {
    const focused = /\b(it|test|describe)\.(only|skip|todo)\(/
    const exempt = new Set(['test/tidy.test.ts', 'test/requirements.ts'])
    expect(
      tests.filter(({ path, text }) => !exempt.has(path) && focused.test(text)).map(({ path }) => path),
    ).toEqual([])
  })
})
