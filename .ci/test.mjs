// Runs all tests, or those named (npm test -- test/sms), under the pinned Node. Plain JavaScript: it must run on any
// Node ≥ 20. A suite that lacks a Debian program or a privilege is not run (test/requirements.ts) and is listed at
// the end with the command that installs it; with CI=true such a suite fails by name there already.
//
// A test process that ends by a signal nobody sent (SIGSEGV, seen once in some thousands of them; since then the flag in
// test/vitest.config.ts keeps V8 from what most likely was its cause) is no failed test and no passed one either: its
// file is run once more, and the report says so.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const bin = join(import.meta.dirname, '..', 'node_modules', '.bin')
const scratch = mkdtempSync(join(tmpdir(), 'twinline-test-'))
const CRASHED = /Worker exited unexpectedly with signal \w+ [^\n]*?while running test file (\S+)/g
const resultFile = join(scratch, 'result.json')

/** @returns the exit code, and the files whose process was ended by a signal */
function vitest(words) {
  const config = join(import.meta.dirname, '..', 'test', 'vitest.config.ts')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`]
  const child = spawn(join(bin, 'vitest'), ['run', '--config', config, ...reporters, ...words], {
    stdio: ['inherit', 'inherit', 'pipe'],
    env: {
      ...(process.stderr.isTTY ? { FORCE_COLOR: '1' } : {}),
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH}`,
    },
  })
  const crashed = new Set()
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text) => {
    process.stderr.write(text)
    for (const [, file] of stripVTControlCharacters(text).matchAll(CRASHED)) crashed.add(file)
  })
  // Ctrl-C reaches the child by itself; we stay to tell the result.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, crashed: [...crashed] }))
  })
}

/** The titles that test/requirements.ts gives to suites that lack something, and the files they stand in. */
function notRun({ testResults }) {
  const found = new Map()
  for (const { name: file, assertionResults } of testResults) {
    for (const { ancestorTitles, title } of assertionResults) {
      for (const text of [...ancestorTitles, title]) {
        const match = /^\[not run: needs (.*?)\] (.*)$/.exec(text)
        if (match) found.set(`${file} ${text}`, { file, suite: match[2], needs: match[1] })
      }
    }
  }
  return [...found.values()]
}

/** What passed at its second try has a race: what it said at the first is the way to it. */
function triedTwice({ testResults }) {
  return testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter(({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0)
      .map(({ fullName, failureMessages: [said] }) => ({ file, test: fullName, said: said.slice(0, 4_000) })),
  )
}

function readResult() {
  try {
    return JSON.parse(readFileSync(resultFile, 'utf8'))
  } catch {
    console.error('vitest ended without a result')
    return undefined
  }
}

let { code, crashed } = await vitest(process.argv.slice(2))
const result = readResult()
if (result && result.numFailedTests === 0 && crashed.length > 0) {
  console.log(`\nEnded by a signal, and run once more: ${crashed.join(', ')}\n`)
  ;({ code } = await vitest(crashed))
}
rmSync(scratch, { recursive: true, force: true })
process.exitCode = code

if (result) {
  for (const { file, test, said } of triedTwice(result)) {
    console.log(
      `\nPassed at the second try only: ${file.replace(`${process.cwd()}/`, '')} > ${test}\n${said}`,
    )
  }
  const missing = notRun(result)
  if (missing.length > 0) {
    console.log('\nNot run, because something is missing here (npm run setup, as root, installs all of it):')
    for (const { file, suite, needs } of missing) {
      console.log(`  ${file.replace(`${process.cwd()}/`, '')} > ${suite}\n    needs ${needs}`)
    }
    console.log('')
  }
  const skipped = result.numPendingTests + result.numTodoTests
  // A file that could not even be loaded holds no test that could fail, so it counts as one.
  const broken = result.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  console.log(
    `${result.numPassedTests} passed, ${result.numFailedTests + broken.length} failed, ${skipped} skipped`,
  )
}
