import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    root: new URL('..', import.meta.url).pathname,
    // A CommonJS package is imported as Node does it.
    deps: { interopDefault: false },
    pool: 'forks',
    setupFiles: ['test/fixed-seed.ts'],
    // Each store that a test opens strips types in a thread of its own: see src/main.ts.
    execArgv: ['--no-wasm-code-gc'],
    maxWorkers: 2,
    // Real processes with deadlines, two suites at a time on two cores: one that failed alone is tried once more, and
    // the report says so. Whatever fails twice is broken.
    retry: 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
