// Builds the browser code of src/panel into dist/panel: index.html and, under assets/, files with a hash in their names,
// each with a .gz beside. Plain JavaScript: it must run on any Node ≥ 20. A running appliance goes on meanwhile: new files
// come first, then the page that names them, and what no page names goes last.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
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

/**
 * @param {{ out?: string, force?: boolean }} options `force`: also when nothing has changed
 * @returns {Promise<{ built: boolean, ms: number }>}
 */
export async function buildPanel({ out = standard, force = false } = {}) {
  const begun = performance.now()
  const stamp = join(out, '.built')
  const wanted = fingerprint()
  if (!force && readOr(stamp, '') === wanted) return { built: false, ms: performance.now() - begun }

  const { build } = await import('esbuild')
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(source, 'main.tsx')],
    outdir: join(out, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    bundle: true,
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
  const html = page({
    script: entry.name,
    style: entry.cssBundle === undefined ? [] : [basename(entry.cssBundle)],
    early: entry.imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => basename(path)),
  })
  put(join(out, 'index.html'), html)
  for (const name of readdirSync(assets)) if (!kept.has(name)) rmSync(join(assets, name), { force: true })
  put(stamp, wanted)
  return { built: true, ms: performance.now() - begun }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { ms } = await buildPanel({ force: true })
  console.log(`twinline: the panel is in dist/panel (${Math.round(ms)} ms)`)
}
