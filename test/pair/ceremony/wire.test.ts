/**
 * What two releases say to each other. The golden files are never edited: a change that breaks them breaks joining
 * between releases, and needs a new version with a file of its own.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { invitationId, proofOf } from '#pair/ceremony/proof.ts'
import { readLine, readMember, VERSIONS } from '#pair/ceremony/wire.ts'

const golden = join(import.meta.dirname, 'golden')

test('every version that is spoken has its file', () => {
  const versions = Array.from({ length: VERSIONS.current - VERSIONS.min + 1 }, (_, n) => VERSIONS.min + n)
  expect(readdirSync(golden).sort()).toEqual(versions.map((version) => `join-${version}.jsonl`))
})

test.each(readdirSync(golden))('%s is understood, word for word', (name) => {
  const lines = readFileSync(join(golden, name), 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(5)
  for (const line of lines) expect(readLine(line)).toEqual(JSON.parse(line))
})

test('both releases make the same proofs of the same session', () => {
  const secret = Buffer.from('0123456789abcdef0123', 'hex')
  const session = { exporter: Buffer.alloc(32, 7), inviter: 'a'.repeat(64), joiner: 'b'.repeat(64) }
  expect(invitationId(secret)).toBe('4ee469cb36968557')
  expect(proofOf('joiner', secret, session)).toBe(
    'cde202461a87726c3801acf62d43e1fdbb287bdc18151d85a6d23c681f3e9c11',
  )
  expect(proofOf('inviter', secret, session)).toBe(
    '6b4cdaa12e91059a1f0ff8b28475a3ed93663c346b58016daa6b7383bd1b7b33',
  )
})

test('what a newer release adds is passed over', () => {
  const record = { node: 'n', fingerprint: 'f'.repeat(64), guard: [], log: [], priority: 1 }
  expect(readMember({ ...record, colour: 'red' })).toEqual(record)
  expect(readLine('{"step":"stored","more":1}')).toEqual({ step: 'stored' })
})

test.each([
  [{ node: '../etc' }],
  [{ node: '' }],
  [{ node: 7 }],
  [{ fingerprint: 'F'.repeat(64) }],
  [{ fingerprint: 'f'.repeat(63) }],
  [{ guard: 'here:1' }],
  [{ guard: new Array(9).fill('here:1') }],
  [{ log: ['x'.repeat(301)] }],
  [{ log: [7] }],
  [{ web: 'x' }],
  [{ priority: -1 }],
  [{ priority: 1.5 }],
  [{ priority: '1' }],
])('%j makes it no record', (wrong) => {
  const record = { node: 'n', fingerprint: 'f'.repeat(64), guard: [], log: [], priority: 1 }
  expect(readMember(record)).toEqual(record)
  expect(readMember({ ...record, ...wrong })).toBeUndefined()
})

test.each([
  'null',
  '7',
  '[]',
  '{}',
  '{"step":"toString"}',
  '{"step":"refused","code":"Not A Code","text":"x"}',
  '{"step":"refused","code":"x"}',
  '{"step":"admit","proof":"x","pairingKey":"x","members":{}}',
  `{"step":"admit","proof":"x","pairingKey":"x","members":[${new Array(17).fill('{}').join()}]}`,
])('%.50s is no line of ours', (line) => {
  expect(readLine(line)).toBeUndefined()
})
