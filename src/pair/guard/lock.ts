/**
 * One guard for one data directory. The lock is a listening unix socket in the abstract namespace, named by the
 * directory's device and inode: the kernel frees it with the process, however that ends, and nothing stale can stay
 * behind (unix(7)). Abstract names belong to the network namespace, which is what two guards would fight about.
 */
import { stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const TRY_AGAIN_MS = 20

/**
 * Waits for the lock: a guard that was told to end takes up to a second.
 * @param patience ms
 * @returns undefined when another guard still has it
 */
export async function takeLock(directory: string, patience: number): Promise<Server | undefined> {
  const { dev, ino } = await stat(directory)
  const name = `\0twinline-guard-${dev}-${ino}`
  for (let left = patience; ; left -= TRY_AGAIN_MS) {
    const server = createServer((socket) => socket.destroy())
    const taken = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(name, () => resolve(true))
    })
    if (taken) return server
    if (left <= 0) return undefined
    await sleep(TRY_AGAIN_MS)
  }
}
