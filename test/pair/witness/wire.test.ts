/** Packets of version 1 as they were first written: every later version must read them. Never edit these. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  answerPacket,
  HELLO_BYTES,
  LARGEST_PACKET,
  openPacket,
  provesAnswer,
  provesRequest,
  readPacket,
  requestPacket,
  seal,
  unseal,
} from '../../../src/pair/witness/wire.ts'

const signing = createPrivateKey({
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    // RFC 8032, 7.1, test 1
    d: Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex').toString(
      'base64url',
    ),
    x: Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString(
      'base64url',
    ),
  },
  format: 'jwk',
})
const exchange = createPrivateKey({
  key: {
    kty: 'OKP',
    crv: 'X25519',
    // RFC 7748, 6.1, Bob
    d: Buffer.from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'hex').toString(
      'base64url',
    ),
    x: Buffer.from('de9edb7d7b7dbc4d35b61c2ece435373f8343c85b78674dadfc7e146f882b44f', 'hex').toString(
      'base64url',
    ),
  },
  format: 'jwk',
})

const golden = {
  request:
    '{"v":1,"kind":"renew","pair":"pair-1","node":"box-a","session":1,"counter":2,"life":"life-1","nonce":"nonce-1","term":7,"termNode":"box-a","grantWait":1700}\nJh0Y4p2ZJVHLryJSglIh56d1xq5EiiwMGvwmJe6_CI0',
  answer:
    '{"v":1,"kind":"answer","nonce":"nonce-1","result":"refused","reason":"witness-held","holder":"box-b","leftMs":120}\ncsqquwTof75mmYHvSO-UYPoY-HVKqxzII_gwdhg3fZuh2pPYSZn8pfm8wMXQUfxFvKbfP1scveG33ysqiOzTBg',
  from: 'T6YThVK5BD0qYJj-3sDDxgNXM_HW6oqZ6679IGv_oz8',
  sealed: 'rOVgfDjYOpSO5Yd8ArrR_XK0O8aXB0R5Hmml1meLJZ604Dr2KkSvfcbcvHnDDItpU4H3Sh2tug',
}

it('reads and proves a request of version 1', () => {
  const packet = readPacket(Buffer.from(golden.request))
  expect(packet?.fields).toMatchObject({ kind: 'renew', pair: 'pair-1', node: 'box-a', term: 7 })
  expect(packet && provesRequest(packet, 'a pairing key')).toBe(true)
  expect(packet && provesRequest(packet, 'another key')).toBe(false)
})

it('reads and proves an answer of version 1', () => {
  const packet = readPacket(Buffer.from(golden.answer))
  expect(packet?.fields).toMatchObject({ kind: 'answer', result: 'refused', holder: 'box-b', leftMs: 120 })
  expect(packet && provesAnswer(packet, createPublicKey(signing))).toBe(true)
  expect(packet && provesAnswer({ ...packet, text: `${packet.text} ` }, createPublicKey(signing))).toBe(false)
})

it('opens what was sealed in version 1, for its nonce only', () => {
  expect(unseal(golden.from, golden.sealed, exchange, 'nonce-1')).toBe(
    '{"pair":"pair-1","key":"a pairing key"}',
  )
  expect(unseal(golden.from, golden.sealed, exchange, 'nonce-2')).toBeUndefined()
})

it('seals so that only the witness opens it', () => {
  const { from, sealed } = seal('the secret', createPublicKey(exchange), 'n')
  expect(unseal(from, sealed, exchange, 'n')).toBe('the secret')
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('secret')
  expect(unseal('rubbish', sealed, exchange, 'n')).toBeUndefined()
})

it('writes what version 1 wrote', () => {
  const fields = { kind: 'renew', pair: 'pair-1', node: 'box-a', session: 1, counter: 2, life: 'life-1' }
  const more = { nonce: 'nonce-1', term: 7, termNode: 'box-a', grantWait: 1700 }
  expect(requestPacket({ ...fields, ...more }, 'a pairing key').toString()).toBe(golden.request)
  const answer = { kind: 'answer', nonce: 'nonce-1', result: 'refused', reason: 'witness-held' }
  expect(answerPacket({ ...answer, holder: 'box-b', leftMs: 120 }, signing).toString()).toBe(golden.answer)
})

it('takes no rubbish and fills a first question up', () => {
  for (const text of [
    '',
    '\n',
    '{}\n',
    '[]\nx',
    '{"v":2}\n',
    'null\n',
    `{"v":1}${' '.repeat(LARGEST_PACKET)}\n`,
  ]) {
    expect(readPacket(Buffer.from(text))).toBeUndefined()
  }
  expect(openPacket({ kind: 'hello', nonce: 'n' })).toHaveLength(HELLO_BYTES)
})
