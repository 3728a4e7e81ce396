/** Every way in that `npm run fuzz` feeds. */
import { document } from './document.ts'
import { http } from './http.ts'
import { mail } from './mail.ts'
import { modbus } from './modbus.ts'
import { mqtt } from './mqtt.ts'
import { pdu } from './pdu.ts'
import type { FuzzTarget } from './target.ts'

export const fuzzTargets: readonly FuzzTarget[] = [mail, http, modbus, mqtt, pdu, document]
