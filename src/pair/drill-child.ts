/**
 * The child that carries out a drill upon its own parent: `drill-child.ts kill|freeze GATEWAY [GUARD]`. It acts on
 * nobody but the gateway that started it and that gateway's guard, and ends within seconds.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { DELAY_MS, FREEZE_MS } from './drill.ts'

const [kind, gatewayText, guardText] = process.argv.slice(2)
const gateway = Number(gatewayText)

/** A process that is gone already needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {}
}

if (Number.isInteger(gateway) && gateway > 1 && process.ppid === gateway) {
  await pause(DELAY_MS)
  // Only while the parent is the one that asked: its number may belong to somebody else by now.
  if (process.ppid === gateway && kind === 'freeze') {
    signal(gateway, 'SIGSTOP')
    await pause(FREEZE_MS)
    signal(gateway, 'SIGCONT')
  } else if (process.ppid === gateway && kind === 'kill') {
    const guard = Number(guardText)
    if (Number.isInteger(guard) && guard > 1) signal(guard, 'SIGKILL')
    signal(gateway, 'SIGKILL')
  }
}
