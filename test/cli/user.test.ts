/** twinline user against a real appliance: through its control socket, and with a token from afar. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from '../intake/http/browser.ts'
import { type RunningAppliance, startAppliance } from '../system/appliance.ts'
import { twinline } from './program.ts'

let directory: string
let config: string
let appliance: RunningAppliance

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'user-'))
  config = join(directory, 'twinline.yaml')
  appliance = await startAppliance({ directory, ports: ['sim://gsm'] })
})
afterAll(async () => {
  await appliance.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

const user = (words: string[], input = '') => twinline(['user', ...words, '--config', config], { input })
const login = (name: string, password: string) =>
  new Browser(appliance.address).call('POST', '/session', { name, password })

test('users are made, listed, changed and removed, and a lost password is set anew', {
  timeout: 60_000,
}, async () => {
  expect(await user(['add', 'ann', '--role', 'admin'], 'correct horse\n')).toMatchObject({
    code: 0,
    stderr: '',
  })
  expect((await login('ann', 'correct horse')).status).toBe(200)
  expect((await user(['add', 'bob', '--role', 'viewer'], 'battery staple')).code).toBe(0)
  expect((await user(['role', 'bob', '--role', 'operator'])).code).toBe(0)
  expect((await user(['list'])).stdout).toMatch(/ann +admin .* local .*1\s*\nbob +operator/)
  expect((await user(['password', 'ann'], 'found again')).code).toBe(0)
  expect((await login('ann', 'correct horse')).status).toBe(401)
  expect((await login('ann', 'found again')).status).toBe(200)
  expect(JSON.parse((await user(['list', '--json'])).stdout)).toHaveLength(2)
  expect((await user(['remove', 'bob'])).code).toBe(0)
  const last = await user(['remove', 'ann'])
  expect(last).toMatchObject({ code: 1, stderr: expect.stringContaining('last-admin') })
  const none = await user(['password', 'nobody'], 'found again')
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('user-unknown') })
})

test.each([
  ['nothing to do', []],
  ['something unknown', ['make', 'ann']],
  ['no name', ['remove']],
  ['too many words', ['remove', 'ann', 'bob']],
  ['no role', ['add', 'ann']],
  ['a role that is none', ['add', 'ann', '--role', 'root']],
  ['no password on stdin', ['password', 'ann']],
])('%s is a mistake on the command line', async (_what, words) => {
  expect((await user(words)).code).toBe(2)
})

test('a password that is too short is refused by the appliance', async () => {
  const refused = await user(['add', 'eve', '--role', 'viewer'], 'short')
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('password') })
})
