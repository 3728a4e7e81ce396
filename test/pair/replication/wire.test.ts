/** The wire format: what each version looked like when it was made, and what members of other versions do to it. */
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Assembly, LARGEST_PAYLOAD, split } from '../../../src/pair/replication/frames.ts'
import { CURRENT, commonVersion, decode, encode, MIN } from '../../../src/pair/replication/wire.ts'
import { version1 } from './wire-samples.ts'

const golden = new URL('golden/', import.meta.url)
const samples: Record<string, typeof version1> = { 1: version1 }

describe('the golden files, which are never edited', () => {
  it('cover every version that this program reads', () => {
    const wanted = Array.from({ length: CURRENT - MIN + 1 }, (_, n) => String(MIN + n))
    expect(readdirSync(golden).sort()).toEqual(wanted)
  })

  for (const version of readdirSync(golden)) {
    for (const [name, message] of Object.entries(samples[version] ?? {})) {
      it(`version ${version}: ${name} is written and read as ever`, () => {
        const text = readFileSync(new URL(`${version}/${name}.txt`, golden), 'utf8')
        expect(decode(text)).toEqual(message)
        expect(encode(message, Number(version))).toBe(text)
      })
    }
    it(`version ${version}: no file without a sample`, () => {
      const names = readdirSync(new URL(`${version}/`, golden)).map((file) => file.replace('.txt', ''))
      expect(names.sort()).toEqual(Object.keys(samples[version] ?? {}).sort())
    })
  }
})

describe('what a member does not know', () => {
  it('passes over kinds and header fields of a newer one', () => {
    expect(decode('{"v":9,"kind":"dance","session":"s"}\nbody')).toBeUndefined()
    expect(decode('{"v":9,"kind":"pageAck","session":"s","id":1,"index":2,"colour":"red"}')).toEqual({
      kind: 'pageAck',
      session: 's',
      id: 1,
      index: 2,
    })
  })

  it('hands entries on without reading them', () => {
    const entries = '[{"operation":{"op":"unheard of","big":12345678901234567890}}]'
    const text = `{"v":1,"kind":"push","session":"s","round":0,"origin":"a","incarnation":"i","from":1,"count":1}\n${entries}`
    const message = decode(text)
    expect(message?.kind === 'push' && message.batch.entries).toBe(entries)
    expect(message && encode(message, 1)).toBe(text)
  })

  it('agrees on the lower of both versions, or on none', () => {
    expect(commonVersion(MIN, CURRENT + 5)).toBe(CURRENT)
    expect(commonVersion(CURRENT + 1, CURRENT + 5)).toBeUndefined()
    expect(commonVersion(0, MIN - 1)).toBeUndefined()
  })

  it('survives anything that a stranger may send', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.constantFrom(...Object.values(version1).map((m) => encode(m, 1))),
        ),
        fc.nat(400),
        (text, cut) => {
          decode(text)
          decode(text.slice(0, cut))
          decode(`${text.slice(0, cut)}\n${text.slice(cut)}`)
        },
      ),
    )
  })
})

describe('texts that are larger than a payload', () => {
  it('come out as they went in, also when they take turns', () => {
    const texts = ['small', 'ä'.repeat(200_000), 'x'.repeat(LARGEST_PAYLOAD), 'y'.repeat(LARGEST_PAYLOAD + 1)]
    const queues = texts.map((text, n) => split(`{${text}`, n))
    const assembly = new Assembly()
    const out: string[] = []
    for (let round = 0; queues.some((queue) => queue.length > round); round++) {
      for (const queue of queues) {
        const payload = queue[round]
        if (!payload) continue
        expect(payload.length).toBeLessThanOrEqual(LARGEST_PAYLOAD)
        const text = assembly.take(payload)
        if (text !== undefined) out.push(text.slice(1))
      }
    }
    expect(out.sort()).toEqual(texts.sort())
  })

  it('are dropped when a frame is missing', () => {
    const frames = split(`{${'x'.repeat(500_000)}`, 1)
    const assembly = new Assembly()
    const texts = frames.filter((_, n) => n !== 2).map((frame) => assembly.take(frame))
    expect(texts.every((text) => text === undefined)).toBe(true)
    expect(
      split(`{${'x'.repeat(500_000)}`, 1)
        .map((frame) => assembly.take(frame))
        .at(-1),
    ).toBeDefined()
  })

  it('are bounded, whatever is announced', () => {
    const assembly = new Assembly()
    for (let transfer = 0; transfer < 50; transfer++) {
      const [first] = split(`{${'x'.repeat(500_000)}`, transfer)
      if (first) expect(assembly.take(first)).toBeUndefined()
    }
    const head = Buffer.alloc(13)
    head.writeUInt8(0x46, 0)
    head.writeUInt32BE(0xffffffff, 9)
    expect(assembly.take(head)).toBeUndefined()
    expect(assembly.take(head.subarray(0, 5))).toBeUndefined()
  })
})
