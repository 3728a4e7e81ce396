/** What a refusal means for the next try. */
import { describe, expect, it } from 'vitest'
import { parseFinal } from '#lines/at-syntax.ts'
import { cmeErrors, cmsErrors } from '#sms/cms-errors.table.ts'
import { isModemFault, readRefusal } from '#sms/gsm-refusal.ts'

function refusalOf(line: string) {
  const final = parseFinal(line)
  if (final?.final !== 'error') throw new Error(`${line} is no error`)
  return { ...readRefusal(final.error), fault: isModemFault(final.error, readRefusal(final.error)) }
}

describe('a refusal', () => {
  it.each([
    ['+CMS ERROR: 1', 'number', true, 'unassigned-number', false],
    ['+CMS ERROR: 8', 'line', true, 'operator-barring', false],
    ['+CMS ERROR: 21', 'line', false, 'rejected', false],
    ['+CMS ERROR: 38', 'network', false, 'network-out-of-order', false],
    ['+CMS ERROR: 195', 'number', true, 'invalid-address', false],
    ['+CMS ERROR: 304', 'number', true, 'invalid-pdu', false],
    ['+CMS ERROR: 310', 'line', false, 'sim-missing', true],
    ['+CMS ERROR: 322', 'line', false, 'memory-full', true],
    ['+CMS ERROR: 500', 'network', false, 'unknown-error', false],
    ['+CMS ERROR: 512', 'network', false, 'unspecified', false],
    ['+CMS ERROR: 399', 'line', false, 'modem-error', true],
    ['+CME ERROR: 14', 'line', false, 'sim-busy', true],
    ['+CME ERROR: 30', 'network', false, 'no-service', false],
    ['ERROR', 'line', false, 'modem-error', true],
    ['+CMS ERROR: Network out of order', 'network', false, 'network-out-of-order', false],
    ['+CMS ERROR: SIM not inserted', 'line', false, 'sim-missing', true],
    ['+CME ERROR: SIM PIN required', 'line', false, 'pin-wanted', true],
    ['+CME ERROR: no network service', 'network', false, 'no-service', false],
    ['+CMS ERROR: something of its own', 'network', false, 'unspecified', false],
  ])('%s: %s, permanent %s', (line, scope, permanent, code, fault) => {
    expect(refusalOf(line)).toMatchObject({ scope, permanent, reason: { code }, fault })
  })

  it('with any code has a scope and a sentence', () => {
    for (let code = 0; code <= 1_100; code++) {
      for (const kind of ['CMS', 'CME']) {
        const { scope, reason } = refusalOf(`+${kind} ERROR: ${code}`)
        expect(['number', 'line', 'network']).toContain(scope)
        expect(reason.text).toContain(`${kind} ${code}`)
      }
    }
  })

  it('is permanent only where another try cannot help', () => {
    for (const [, row] of [...cmsErrors, ...cmeErrors])
      expect(row.scope === 'network' && row.permanent).toBe(false)
  })
})
