/** The process in which reader.ts has one large mail read: gets its bytes, answers with what it holds, and is ended. */
import { parseMail } from './mail.ts'

process.once('message', ({ bytes, attachments }: { bytes: Uint8Array; attachments: boolean }) => {
  parseMail(bytes, attachments).then(
    (mail) => process.send?.(mail),
    () => process.exit(1),
  )
})
