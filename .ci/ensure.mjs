// Installs the npm packages when they are missing, and builds the panel when its sources changed. Plain JavaScript: it must run on any Node ≥ 20, before our own Node is there.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const sameLock = () => {
  try {
    const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
    const present = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8')).packages
    return Object.entries(wanted).every(
      ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
    )
  } catch {
    return false
  }
}

if (!existsSync('node_modules/.bin/node') || !sameLock()) {
  console.log('twinline: installing npm packages (once, about 10 seconds) …')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}

// Installed without what development needs (an image): the panel came built.
if (!process.exitCode && existsSync('node_modules/esbuild')) {
  const { buildPanel } = await import('./build-panel.mjs')
  await buildPanel()
}
