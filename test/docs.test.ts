/** What the manual names is there: pages, headings, pictures, files of the repository, scripts, commands and their flags. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

/** As hosts of repositories make an anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/^#+ /, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const anchors = (text: string): Set<string> => new Set((text.match(/^#+ .+$/gm) ?? []).map(anchorOf))

test('every link leads somewhere', () => {
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^https?:/.test(link)) return []
      const [name = '', anchor] = link.split('#')
      const file = name === '' ? path : join(dirname(path), name)
      if (!existsSync(join(root, file))) return [`${path}: ${link}`]
      if (anchor === undefined) return []
      return anchors(readFileSync(join(root, file), 'utf8')).has(anchor) ? [] : [`${path}: ${link}`]
    }),
  )
  expect(broken).toEqual([])
})

test('every page is linked from another one, and every picture is shown', () => {
  const linked = new Set(
    pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#\s]+)/g)].flatMap(([, link = '']) => {
        const to = join(dirname(path), link)
        return to === path ? [] : [to]
      }),
    ),
  )
  const pictures = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(png|svg)$/.test(name))
    .map((name) => `docs/${name}`)
  expect([...pages.map(({ path }) => path), ...pictures].filter((path) => !linked.has(path))).toEqual([
    'README.md',
  ])
})

test('every file of the repository that is named is in it', () => {
  const named = /(?:^|[\s`(])((?:src|test|docs|firmware-config|systemd|\.ci)\/[\w./-]*\w)(?![\w./-]*\*)/gm
  const missing = pages.flatMap(({ path, text }) =>
    [...text.matchAll(named)].flatMap(([, file = '']) =>
      existsSync(join(root, file)) || existsSync(join(root, dirname(path), file)) ? [] : [`${path}: ${file}`],
    ),
  )
  expect(missing).toEqual([])
})

/** What stands in blocks and spans of code, a line each. */
const codeOf = (text: string): string =>
  [...text.matchAll(/^```\w*\n([\s\S]*?)^```|`([^`\n]+)`/gm)]
    .map(([, block, span]) => block ?? span)
    .join('\n')

test('every script and every command that is named is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const help = readFileSync(join(root, 'src', 'cli', 'help.ts'), 'utf8')
  const commands = new Set([...help.matchAll(/^ {2}twinline (\w+)/gm)].map(([, command]) => command))
  const unknown = pages.flatMap(({ path, text }) => [
    ...[...text.matchAll(/\bnpm run ([\w:]+)/g)].flatMap(([, name = '']) =>
      name in scripts ? [] : [`${path}: npm run ${name}`],
    ),
    ...[...codeOf(text).matchAll(/(?:^|\$ )twinline ([a-z]+)\b/gm)].flatMap(([, name = '']) =>
      commands.has(name) ? [] : [`${path}: twinline ${name}`],
    ),
  ])
  expect(unknown).toEqual([])
})
