/** A fax of two pages that broke off, went on at another member, and arrived: its story in words of a fax. */
import { expect, it } from 'vitest'
import { faxStep, type Step } from '../../../src/panel/queue/fax-step.ts'

const steps = (story: readonly Step[]) => story.map((step, n) => faxStep(step, story[n - 1]))
const at = (event: string, node = 'box-a'): Step => ({ event, node, line: 'fax0' })

it('tells calls from pages', () => {
  const first = [at('accept'), at('intend'), at('intend'), at('confirm'), at('intend'), at('defer')]
  expect(steps([...first, at('intend', 'box-b'), at('intend', 'box-b'), at('accepted', 'box-b')])).toEqual([
    undefined,
    'dialled',
    'pageSent',
    'pageConfirmed',
    'pageSent',
    undefined,
    'dialled',
    'pageSent',
    'allConfirmed',
  ])
})

it('another line that calls is another call, even where nothing is said of the end of the first', () => {
  expect(steps([at('intend'), at('intend', 'box-b')])).toEqual(['dialled', 'dialled'])
})
