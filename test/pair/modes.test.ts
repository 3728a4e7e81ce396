/** Mode active-active with real appliances: who sends what, and what becomes of it when one is lost. */
import { expect, test } from 'vitest'
import { modem, pairOf } from './boxes.ts'

const line = (id: string, port: string, more = '') =>
  `{ id: ${id}, kind: gsm, port: '${port}', reports: false${more} }`

test('active-active: each sends its own; the other takes over what a lost one owns, with its lines, and lets go', {
  timeout: 120_000,
}, async () => {
  const [modemA, modemB] = [await modem('20'), await modem('700')]
  const pair = ['mode: active-active']
  const [a, b] = await pairOf(
    { lines: [line('gsm0', modemA.address), line('gsm0-of-b', modemB.address, ', passive: box-b')], pair },
    { lines: [line('gsm0', modemB.address)], pair },
  )
  await Promise.all([a.line('gsm0', 'ready'), b.line('gsm0', 'ready'), a.line('gsm0-of-b', 'passive')])
  await a.sent(await a.send('a one'))
  await b.sent(await b.send('b one'))
  expect(modemA.texts()).toEqual(['a one'])
  expect(modemB.texts()).toEqual(['b one'])

  const texts = () => [...modemA.texts(), ...modemB.texts()]
  /** Its modem is slow, so most of what b has taken still waits when it is lost. At most one of them went out twice. */
  async function loseB(
    taken: string[],
    lose: () => Promise<void> | void,
    regain: () => Promise<void> | void,
  ) {
    const ids = await Promise.all(taken.map((text) => b.send(text)))
    await lose()
    await a.line('gsm0-of-b', 'ready')
    const ends = await Promise.all(ids.map((id) => a.sent(id)))
    expect(ends.some(({ node }) => node === 'box-a')).toBe(true)
    await regain()
    await Promise.all([a.inStepWith('box-b'), a.line('gsm0-of-b', 'passive'), b.line('gsm0', 'ready')])
    // What comes after it on the same line is sent when nothing of it is left.
    const after = `after ${taken}`
    expect(await b.sent(await b.send(after))).toMatchObject({ node: 'box-b', possibleDuplicate: false })
    expect(modemB.texts()).toContain(after)
    for (const [n, text] of taken.entries()) {
      const copies = texts().filter((each) => each === text).length
      expect(copies, text).toBeGreaterThan(0)
      if (copies > 1) expect(await a.sent(ids[n] ?? '')).toMatchObject({ possibleDuplicate: true })
    }
    expect(texts().filter((text) => taken.includes(text)).length).toBeLessThanOrEqual(taken.length + 1)
  }
  await loseB(
    ['one', 'two', 'three', 'four'],
    () => b.kill(),
    () => b.start(),
  )
  await loseB(
    ['five', 'six', 'seven', 'eight'],
    () => b.freeze(),
    () => b.thaw(),
  )
})

test('active-active: what a member has no line for goes out through the other one', {
  timeout: 120_000,
}, async () => {
  const phone = await modem('20')
  const pair = ['mode: active-active']
  const [a, b] = await pairOf({ lines: [line('gsm0', phone.address)], pair }, { lines: [], pair })
  await a.line('gsm0', 'ready')
  expect(await b.sent(await b.send('from b'))).toMatchObject({ node: 'box-a', possibleDuplicate: false })
  expect(phone.texts()).toEqual(['from b'])
})
