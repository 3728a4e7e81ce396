/** Files that are whole or not at all, also across a power cut. They are for their owner alone. */
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** On the disk under its name when it resolves. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  await replaceFile(path, content)
  await syncDirectory(dirname(path))
}

/** On the disk when it resolves; under its name too after syncDirectory(), which serves several at once. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    // One that is left of a write that was cut off keeps its rights.
    await file.chmod(0o600)
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

/** The names in it are on the disk when it resolves. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  await directory.sync().finally(() => directory.close())
}
