/** The thread in which reader.ts has one large mail read: gets its bytes, answers with what it holds, and is ended. */
import { parentPort, workerData } from 'node:worker_threads'
import { parseMail } from './mail.ts'

const bytes: unknown = workerData
if (bytes instanceof Uint8Array) parentPort?.postMessage(await parseMail(bytes))
