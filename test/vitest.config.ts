import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two guards against the clock: on a machine that is busy with anything else their verdict means nothing.
    exclude: process.env['TWINLINE_SOAK'] === undefined ? ['test/pair/guard/guard.test.ts'] : [],
    root: new URL('..', import.meta.url).pathname,
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
