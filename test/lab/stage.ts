/**
 * The laboratory's own process, the first one in its namespaces: takes requests from enter.ts one at a time. It ends
 * when its parent does, and everything in here with it.
 */
import { errorText } from '#core/errors.ts'
import type { LabAnswers, LabRequest } from './contract.ts'
import { Laboratory } from './lab.ts'
import { cable } from './network.ts'
import { signal, tree } from './processes.ts'
import { Visitor } from './visitor-link.ts'

let laboratory: Laboratory | undefined
const visitor = new Visitor()

function opened(): Laboratory {
  if (!laboratory) throw new Error('the laboratory is not open')
  return laboratory
}

async function perform(request: LabRequest): Promise<LabAnswers[LabRequest['kind']]> {
  switch (request.kind) {
    case 'open': {
      laboratory = new Laboratory(request.setting, (progress) => process.send?.({ progress }))
      await laboratory.open()
      return laboratory.boxes.map(({ name }) => name)
    }
    case 'trial':
      return opened().trial(request.fault, request.watchMs)
    case 'call':
      return opened().member(request.member).call(request.method, request.path, request.body)
    case 'log':
      return opened().member(request.member).log()
    case 'power': {
      const member = opened().member(request.member)
      await (request.what === 'kill' ? member.kill() : member.start())
      return null
    }
    case 'cable':
      cable(request.member, request.plugged)
      return null
    case 'visit':
      return visitor.order(request.order)
    case 'measure':
      return opened().measure(request.what, request.seconds)
  }
}

let last = Promise.resolve()
process.on('message', ({ id, request }: { id: number; request: LabRequest }) => {
  last = last.then(async () => {
    try {
      process.send?.({ id, answer: await perform(request) })
    } catch (error) {
      process.send?.({
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : errorText(error),
      })
    }
  })
})
process.on('disconnect', () => {
  // Where the process namespace is our own, the kernel would do so.
  const own = tree(process.pid).filter(({ pid }) => pid !== process.pid)
  signal(
    own.map(({ pid }) => pid),
    'SIGKILL',
  )
  process.exit()
})
