/**
 * Looks at the store of a backup in a thread of its own, because that takes seconds: whole, of a version that this
 * program works with, and marked as restored. Says `{}` or `{ code, message }` and ends.
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { CodedError, errorText } from '#core/errors.ts'
import { migrate } from './migrations.ts'
import { RESTORED } from './restored.ts'

const { path, backupAt } = workerData as { path: string; backupAt: number }

function look(): { code?: string; message?: string } {
  const db = new DatabaseSync(path)
  try {
    const check = db.prepare('PRAGMA quick_check(1)').get()
    if (check === undefined || Object.values(check)[0] !== 'ok')
      return { code: 'backup-unusable', message: 'the store in the backup is damaged' }
    migrate(db)
    db.prepare('INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)').run(
      RESTORED,
      JSON.stringify({ backupAt }),
    )
    db.exec('PRAGMA journal_mode = DELETE')
    return {}
  } catch (error) {
    if (error instanceof CodedError) return { code: error.code, message: error.message }
    return { code: 'backup-unusable', message: `the store in the backup cannot be read: ${errorText(error)}` }
  } finally {
    db.close()
  }
}

parentPort?.postMessage(look())
