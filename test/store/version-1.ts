/**
 * A database as version 1 wrote it. Frozen: when the format changes, a file for the version before is added, and this
 * one is never edited, since such data is out there.
 */
import { DatabaseSync } from 'node:sqlite'
import type { MessageView } from '#store/contract.ts'

const at = Date.UTC(2026, 0, 1)
const id = '019b76da-a800-7a70-81b6-7c16920ce50c'

export const messageOfVersion1: MessageView = {
  message: {
    id,
    at,
    source: 'http:test',
    text: 'pump 3 has stopped',
    priority: 2,
    validity: 3_600_000,
    onUnknown: 'resend',
    flash: false,
  },
  deliveries: [
    {
      id: `${id}.0`,
      message: id,
      to: '+491701234567',
      channel: 'sms',
      priority: 2,
      state: 'queued',
      parts: 1,
      confirmed: 0,
      references: [],
      reported: [],
      attempts: 0,
      failures: 0,
      possibleDuplicate: false,
      due: at,
      expires: at + 3_600_000,
      timeline: [{ at, event: 'accept', state: 'queued' }],
    },
  ],
}

const schema = `
    CREATE TABLE logs (id INTEGER PRIMARY KEY, origin TEXT NOT NULL, incarnation TEXT NOT NULL UNIQUE);
    CREATE TABLE log (place INTEGER PRIMARY KEY, at INTEGER NOT NULL, counter INTEGER NOT NULL,
      node TEXT NOT NULL, operation TEXT NOT NULL);

    CREATE TABLE messages (position INTEGER PRIMARY KEY, id TEXT NOT NULL, count INTEGER NOT NULL,
      at INTEGER NOT NULL, key TEXT, body_hash TEXT, document TEXT NOT NULL);
    CREATE UNIQUE INDEX messages_id ON messages (id);
    CREATE INDEX messages_key ON messages (key) WHERE key IS NOT NULL;
    CREATE TABLE deliveries (position INTEGER PRIMARY KEY, live INTEGER, priority INTEGER NOT NULL,
      due INTEGER NOT NULL, deadline INTEGER, accepted INTEGER NOT NULL, changed INTEGER NOT NULL,
      document TEXT NOT NULL);
    CREATE INDEX deliveries_queue ON deliveries (priority, due) WHERE live = 0;
    CREATE INDEX deliveries_live ON deliveries (live) WHERE live IS NOT NULL;
    CREATE INDEX deliveries_deadline ON deliveries (deadline) WHERE deadline IS NOT NULL;

    CREATE TABLE archive_messages (position INTEGER PRIMARY KEY, id TEXT NOT NULL, count INTEGER NOT NULL,
      at INTEGER NOT NULL, key TEXT, body_hash TEXT, document TEXT NOT NULL);
    CREATE UNIQUE INDEX archive_messages_id ON archive_messages (id);
    CREATE TABLE archive_deliveries (position INTEGER PRIMARY KEY, live INTEGER, priority INTEGER NOT NULL,
      due INTEGER NOT NULL, deadline INTEGER, accepted INTEGER NOT NULL, changed INTEGER NOT NULL,
      document TEXT NOT NULL);

    CREATE TABLE lines (id INTEGER PRIMARY KEY, node TEXT NOT NULL, line TEXT NOT NULL, UNIQUE (node, line));
    CREATE TABLE awaiting (line INTEGER NOT NULL, reference INTEGER NOT NULL, position INTEGER NOT NULL,
      part INTEGER NOT NULL, PRIMARY KEY (line, reference, position, part)) WITHOUT ROWID;
    CREATE TABLE totals (hour INTEGER NOT NULL, line INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0,
      delivered INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
      unknown INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (hour, line)) WITHOUT ROWID;

    CREATE TABLE inbound (position INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, parts_of TEXT NOT NULL,
      entry TEXT NOT NULL, at INTEGER NOT NULL, document TEXT NOT NULL);
    CREATE INDEX inbound_parts_of ON inbound (parts_of, entry);
    CREATE TABLE inbound_waiting (entry TEXT PRIMARY KEY, parts_of TEXT NOT NULL, newest INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE inbox (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL,
      revision INTEGER NOT NULL, document TEXT NOT NULL);

    CREATE TABLE tokens (id TEXT PRIMARY KEY, document TEXT NOT NULL, last_used INTEGER) WITHOUT ROWID;
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE format (readable_from INTEGER NOT NULL);
    INSERT INTO format VALUES (1);
`

/** Makes the database file, with one queued message. */
export function buildVersion1(path: string): void {
  const db = new DatabaseSync(path)
  db.exec(
    `PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; BEGIN; ${schema}; PRAGMA user_version = 1; COMMIT;`,
  )
  const { message, deliveries } = messageOfVersion1
  db.prepare('INSERT INTO logs VALUES (1, ?, ?)').run('a', '0da2c96a-b3cc-4f02-b5c5-161b56254ef5')
  const operation = JSON.stringify({ op: 'accept', message, deliveries })
  db.prepare('INSERT INTO log VALUES (?, ?, 1, ?, ?)').run(2 ** 40 + 1, at, 'a', operation)
  db.prepare('INSERT INTO messages VALUES (1, ?, 1, ?, NULL, NULL, ?)').run(id, at, JSON.stringify(message))
  const delivery = JSON.stringify(deliveries[0])
  db.prepare('INSERT INTO deliveries VALUES (1, 0, 2, ?, ?, ?, ?, ?)').run(
    at,
    at + 3_600_000,
    at,
    at,
    delivery,
  )
  db.close()
}
