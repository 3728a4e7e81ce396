#!/usr/bin/env node
/**
 * The command line's entry: looks at the Node version, then loads the one file of the command that was asked for.
 * It imports nothing of the program before that, so that a command starts fast and a wrong Node gets a sentence.
 */
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The promise of a command is its exit code. */
type Command = (argv: string[]) => Promise<number>

const commands: Record<string, () => Promise<Command>> = {
  run: async () => (await import('./cli/run.ts')).run,
  send: async () => (await import('./cli/send.ts')).send,
  line: async () => (await import('./cli/line.ts')).line,
  totals: async () => (await import('./cli/totals.ts')).totals,
  status: async () => (await import('./cli/status.ts')).status,
  token: async () => (await import('./cli/token.ts')).token,
  user: async () => (await import('./cli/user.ts')).user,
  pair: async () => (await import('./cli/pair.ts')).pair,
  recover: async () => (await import('./cli/recover.ts')).recover,
  inbound: async () => (await import('./cli/inbound.ts')).inbound,
  audit: async () => (await import('./cli/audit.ts')).audit,
  backup: async () => (await import('./cli/backup.ts')).backup,
  restore: async () => (await import('./cli/restore.ts')).restore,
  support: async () => (await import('./cli/support.ts')).support,
  witness: async () => (await import('./cli/witness.ts')).witness,
  config: async () => (await import('./cli/config.ts')).config,
  contacts: async () => (await import('./cli/contacts.ts')).contacts,
  storm: async () => (await import('./cli/storm.ts')).storm,
  modems: async () => (await import('./cli/modems.ts')).modems,
  check: async () => (await import('./cli/check.ts')).check,
  demo: async () => (await import('./cli/demo.ts')).demo,
  simulate: async () => (await import('./cli/simulate.ts')).simulate,
  help: async () => (await import('./cli/help.ts')).help,
  version: async () => (await import('./cli/help.ts')).version,
}

/** Not for people: the gateway starts it. */
const internal: typeof commands = {
  guard: async () => (await import('./cli/guard.ts')).guard,
  'fax-line': async () => (await import('./cli/fax-line.ts')).faxLine,
}

const synonyms: Record<string, string> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-V': 'version',
}

/** Compiled code is kept for the next start, in a place that only this user writes to. */
function cacheDirectory(): string {
  const base = process.env['CACHE_DIRECTORY'] ?? process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return join(base, 'twinline')
}

function compileCache(): void {
  const directory = cacheDirectory()
  enableCompileCache(directory)
  // The store's worker thread looks here; without it, it compiles anew at each start, which costs 35 MB.
  process.env['NODE_COMPILE_CACHE'] = directory
}

/** serialport 13 stalls on Node 26.3 and later; what we use of node:sqlite and type stripping needs 24. */
function wrongNode(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major >= 24 && (major < 26 || (major === 26 && minor < 3))) return undefined
  return (
    `twinline needs Node 24 (up to 26.2), this is ${process.versions.node}. ` +
    'Use the one that npm installs: node_modules/.bin/node src/main.ts, or npm start.'
  )
}

/**
 * What keeps a waiting appliance small; measured by `npm run bench -- --only memory`. Such settings count only from the
 * first moment of a process, so `run` begins once more in their favour, as the same process.
 *
 * The last one is no matter of size: the V8 of Node 24 now and then frees a piece of WebAssembly twice that threads of
 * one process share, and the process ends by SIGSEGV (nodejs/node issue 66366; Node 26 is mended). What strips types is
 * WebAssembly, and the store's thread strips as long as the cache of compiled code is empty. So none is freed.
 */
const smallHeap = ['--max-semi-space-size=1', '--max-old-space-size=128', '--expose-gc', '--no-wasm-code-gc']
const smallHeapEnvironment = { MALLOC_ARENA_MAX: '2' }

function beginSmall(): void {
  const { execArgv, execPath, argv, env, execve } = process
  if (execve === undefined || smallHeap.every((flag) => execArgv.includes(flag))) return
  execve.call(process, execPath, [execPath, ...execArgv, ...smallHeap, ...argv.slice(1)], {
    ...env,
    ...smallHeapEnvironment,
    // From the first file on: for this one alone Node would load what strips types, and keep its 14 MB.
    NODE_COMPILE_CACHE: cacheDirectory(),
  })
}

async function main(argv: string[]): Promise<number> {
  const wrong = wrongNode()
  if (wrong !== undefined) {
    console.error(wrong)
    return 2
  }
  const [name = 'help', ...rest] = argv
  if (name === 'run') beginSmall()
  compileCache()
  const { dispatch } = await import('./cli/outcome.ts')
  return dispatch(name, commands[synonyms[name] ?? name] ?? internal[name], Object.keys(commands), rest)
}

// A reader that went away (`twinline status | head -1`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}
// Not left to the event loop: what a failed start still holds must not keep the process. Output is written by now:
// stdout and stderr are synchronous on Linux, and the log flushes itself at exit.
process.exit(await main(process.argv.slice(2)))
