// Builds the browser code of src/panel into dist/panel: index.html, early.json (what each page loads at once) and, under
// assets/, files with a hash in their names, each with a .gz beside. Plain JavaScript: it must run on any Node ≥ 20. A running appliance goes on meanwhile: new files
// come first, then the page that names them, and what no page names goes last.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const self = fileURLToPath(import.meta.url)
const root = join(self, '..', '..')
const source = join(root, 'src', 'panel')
const standard = join(root, 'dist', 'panel')
const compress = promisify(gzip)

// The first versions that know light-dark() in style sheets.
const browsers = ['chrome123', 'firefox120', 'safari17.5']

/** Over everything that the result depends on; a build of the same fingerprint is not made again. */
function fingerprint() {
  const hash = createHash('sha256')
  const inputs = readdirSync(source, { recursive: true })
    .map((name) => join(source, String(name)))
    .filter((path) => statSync(path).isFile())
    .sort()
  for (const path of [...inputs, self, join(root, 'package-lock.json')]) {
    hash.update(path).update('\0').update(readFileSync(path)).update('\0')
  }
  return hash.digest('hex')
}

function readOr(path, otherwise) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

/** Whole or not at all, whoever reads meanwhile. */
function put(path, contents) {
  const beside = `${path}.${process.pid}`
  writeFileSync(beside, contents)
  renameSync(beside, path)
}

function page({ script, style, early }) {
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    '<meta name="color-scheme" content="light dark">',
    '<title>twinline</title>',
    '<link rel="icon" href="data:,">',
    ...style.map((name) => `<link rel="stylesheet" href="/assets/${name}">`),
    ...early.map((name) => `<link rel="modulepreload" href="/assets/${name}">`),
    `<script type="module" src="/assets/${script}"></script>`,
    '</head>',
    '<body>',
    '<noscript>The panel needs JavaScript. The API works without: see <a href="/docs">/docs</a>.</noscript>',
    '</body>',
    '</html>',
  ]
  return `${lines.join('\n')}\n`
}

/** The pages of the panel by path: their files below src/panel, and what they ask the appliance for first. */
function pagesOf() {
  const routes = readFileSync(join(source, 'shell', 'routes.ts'), 'utf8')
  const each = /path: '([^']+)',\s+load: \(\) => import\('\.\.\/([^']+)'\)(?:,\s+asks: \[([^\]]*)\])?/g
  return new Map(
    [...routes.matchAll(each)].map(([, path, file, asks = '']) => [
      path,
      { file, asks: [...asks.matchAll(/'([^']+)'/g)].map(([, ask]) => ask) },
    ]),
  )
}

/** Who tells of a file which of our code it imports, each file read once. */
function importsOf() {
  const known = new Map()
  return (file) => {
    const text = known.has(file) ? '' : readFileSync(file, 'utf8')
    const paths = (pattern) => [...text.matchAll(pattern)].map(([, path]) => join(file, '..', path))
    if (!known.has(file))
      known.set(file, {
        atOnce: paths(/^(?:import|export) (?!type )[^']*?from '(\.[^']+\.tsx?)'/gm),
        // Dictionaries, which end with their language, are no code.
        later: paths(/ import\('(\.[^']+(?<!\.[a-z]{2})\.tsx?)'\)/g),
      })
    return known.get(file)
  }
}

/** @returns the files below src/panel that this one is made of: itself and what it imports, step by step */
function reachOf(file, imports, reached = new Set()) {
  if (reached.has(file)) return reached
  reached.add(file)
  for (const path of imports(file).atOnce) reachOf(path, imports, reached)
  return reached
}

/** Larger ones, bytes, are worth a request of their own to the pages that need them. */
const SMALL = 1_500

/** @returns the modules of each folder of pages that more than one of them is made of, without those of `others` */
function sharedByArea(reaches, others) {
  const areas = new Map()
  for (const file of new Set(reaches.flatMap((reach) => [...reach]))) {
    if (others.has(file) || reaches.filter((reach) => reach.has(file)).length < 2) continue
    const area = dirname(file)
    areas.set(area, [...(areas.get(area) ?? []), file])
  }
  return [...areas.values()]
}

/** @returns what a page loads at once that is made of these modules: whoever needs one of an area loads all of it */
function withAreas(reach, areas, imports) {
  const whole = new Set(reach)
  for (let before = -1; before !== whole.size; ) {
    before = whole.size
    for (const area of areas)
      if (area.some((file) => whole.has(file))) for (const file of area) reachOf(file, imports, whole)
  }
  return areas.filter((area) => area.some((file) => whole.has(file))).flat()
}

/**
 * Bundlers share code by who uses it: each set of pages that have some modules in common makes a file, and a page then
 * asks for a dozen of them, which costs more than it saves. So there are two files for all: what the front page and the
 * login need comes with the shell, and the rest of the components and what is small comes with every other page, and with
 * code that a page loads later. What else is shared is one file for each area. A dictionary is nothing but its object,
 * without an export for each word.
 */
function together(pages) {
  const whole = (file) => join(source, file)
  const main = whole('main.tsx')
  const fronts = ['/', '/login'].map((path) => whole(pages.get(path).file))
  const imports = importsOf()
  const all = new Map([...pages.values()].map(({ file }) => [whole(file), reachOf(whole(file), imports)]))
  const later = [reachOf(main, imports), ...all.values()].flatMap((files) =>
    [...files].flatMap((file) => imports(file).later),
  )
  for (const file of later) all.set(file, reachOf(file, imports))
  const entries = new Set([main, whole('shell/app.tsx'), whole('shell/routes.ts'), ...all.keys()])
  const core = [main, ...fronts]
    .flatMap((file) => [...reachOf(file, imports)])
    .filter((file) => !entries.has(file))
  const reaches = [...all.values()]
  const rest = readdirSync(source, { recursive: true })
    .map(String)
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts') && !name.startsWith('words/'))
    .map(whole)
    .filter((file) => !entries.has(file))
    .filter(
      (file) =>
        /\/(components|shell)\/|\/words\.ts$/.test(file.slice(source.length)) ||
        (statSync(file).size < SMALL && reaches.filter((reach) => reach.has(file)).length > 1),
    )
  const areas = sharedByArea(reaches, new Set([...entries, ...core, ...rest]))
  const asCode = (files) => [...new Set(files)].map((file) => `import ${JSON.stringify(file)}`).join('\n')
  return {
    name: 'together',
    setup(build) {
      build.onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
        if (path !== main && !all.has(path)) return undefined
        const isFront = path === main || fronts.includes(path)
        const shared = isFront ? core : [...core, ...rest, ...withAreas(all.get(path), areas, imports)]
        return { contents: `${readFileSync(path, 'utf8')}\n${asCode(shared)}\n`, loader: 'tsx' }
      })
      // The page names the style sheets of main.tsx; others are put to use by the code that they came with.
      build.onResolve({ filter: /\.css$/ }, async ({ path, importer, namespace, ...how }) => {
        if (importer === main || namespace === 'style') return undefined
        const found = await build.resolve(path, { ...how, importer, namespace: 'style' })
        return { ...found, namespace: 'style' }
      })
      build.onLoad({ filter: /\.css$/, namespace: 'style' }, async ({ path }) => {
        const options = { loader: 'css', minify: true, target: browsers }
        const { code } = await build.esbuild.transform(readFileSync(path, 'utf8'), options)
        return {
          contents: `const sheet = new CSSStyleSheet()
            sheet.replaceSync(${JSON.stringify(code.trim())})
            document.adoptedStyleSheets.push(sheet)`,
        }
      })
      build.onLoad({ filter: /\.json$/ }, ({ path }) => ({
        contents: `export default ${readFileSync(path, 'utf8')}`,
        loader: 'js',
      }))
    },
  }
}

/**
 * What each page of the panel loads besides what the shell names: its own code with all that this imports, and its words
 * in each language. The server says it in advance, so that a browser need not find out step by step.
 */
function earlyOf({ inputs }, made, entry, styles, pages) {
  const byName = new Map(made.map((output) => [output.name, output]))
  const withImports = (name, seen = new Set()) => {
    if (seen.has(name)) return seen
    seen.add(name)
    for (const { kind, path } of byName.get(name)?.imports ?? [])
      if (kind === 'import-statement') withImports(basename(path), seen)
    return seen
  }
  // By what the sources themselves import, without what together() adds.
  const dictionaries = (file, found = new Set(), seen = new Set()) => {
    if (seen.has(file)) return found
    seen.add(file)
    for (const { kind, path, original } of inputs[file]?.imports ?? []) {
      if (kind === 'dynamic-import' && path.includes('/words/')) found.add(path)
      if (kind === 'import-statement' && !isAbsolute(original)) dictionaries(path, found, seen)
    }
    return found
  }
  const shell = withImports(entry.name)
  return Object.fromEntries(
    [...pages].map(([path, { file, asks }]) => {
      const page = made.find(({ entryPoint }) => entryPoint === `src/panel/${file}`)
      const words = {}
      // Every page can show a reason, as of a line that is out of use, but few show them as a rule.
      const reasons = readFileSync(join(source, file), 'utf8').includes('reasonWords')
      for (const dictionary of [
        ...dictionaries('src/panel/main.tsx'),
        ...dictionaries(`src/panel/${file}`),
      ]) {
        const [, language = ''] = /\.([a-z]{2})\.\w+$/.exec(dictionary) ?? []
        const name = made.find(({ entryPoint }) => entryPoint === dictionary)?.name
        if (name === undefined || (dictionary.includes('/reasons.') && !reasons)) continue
        words[language] = [...new Set([...(words[language] ?? []), name])]
      }
      // The shell first, although the page names it as well, and its styles before all: nothing runs without them, and
      // few requests run at a time.
      const code = [...new Set([...styles, ...shell, ...withImports(page?.name)])]
      return [path, { code, words, asks }]
    }),
  )
}

/**
 * @param {{ out?: string, force?: boolean }} options `force`: also when nothing has changed
 * @returns {Promise<{ built: boolean, ms: number }>}
 */
export async function buildPanel({ out = standard, force = false } = {}) {
  const begun = performance.now()
  const stamp = join(out, '.built')
  const wanted = fingerprint()
  if (!force && readOr(stamp, '') === wanted) return { built: false, ms: performance.now() - begun }

  const pages = pagesOf()
  const { build } = await import('esbuild')
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(source, 'main.tsx')],
    outdir: join(out, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    bundle: true,
    plugins: [together(pages)],
    splitting: true,
    format: 'esm',
    minify: true,
    target: browsers,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.svg': 'file', '.woff2': 'file' },
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  })
  const made = Object.entries(metafile.outputs).map(([path, output]) => ({ name: basename(path), ...output }))
  const entry = made.find(
    ({ entryPoint }) => entryPoint !== undefined && resolve(root, entryPoint) === join(source, 'main.tsx'),
  )
  if (entry === undefined) throw new Error('the panel has no entry')

  const assets = join(out, 'assets')
  mkdirSync(assets, { recursive: true })
  const kept = new Set()
  const packed = await Promise.all(outputFiles.map(({ contents }) => compress(contents, { level: 9 })))
  for (const [n, { path, contents }] of outputFiles.entries()) {
    const name = basename(path)
    kept.add(name).add(`${name}.gz`)
    put(join(assets, name), contents)
    put(join(assets, `${name}.gz`), packed[n])
  }
  const styles = entry.cssBundle === undefined ? [] : [basename(entry.cssBundle)]
  const html = page({
    script: entry.name,
    style: styles,
    early: entry.imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => basename(path)),
  })
  put(join(out, 'early.json'), JSON.stringify(earlyOf(metafile, made, entry, styles, pages)))
  put(join(out, 'index.html'), html)
  for (const name of readdirSync(assets)) if (!kept.has(name)) rmSync(join(assets, name), { force: true })
  put(stamp, wanted)
  return { built: true, ms: performance.now() - begun }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { ms } = await buildPanel({ force: true })
  console.log(`twinline: the panel is in dist/panel (${Math.round(ms)} ms)`)
}
