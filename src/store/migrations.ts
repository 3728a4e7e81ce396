/**
 * The tables, as numbered steps that only go forward. The number of the newest step taken is SQLite's user_version.
 *
 * Within one release steps only add, so that the release before opens the store too: each step names the lowest
 * version that can work with its result. A store that needs a newer program is refused untouched (`data-newer`).
 */
import type { DatabaseSync } from 'node:sqlite'
import { CodedError } from '#core/errors.ts'

export interface Step {
  number: number
  /** The lowest version (step number) of a program that can still work with the tables after this step. */
  readableFrom: number
  statements: string
}

/*
 * Layout. A message takes as many consecutive positions as it has deliveries and is stored under the first, so that
 * neither table needs an index to find the other; positions grow with acceptance and are kept in the archive.
 * `live` is 0 queued, 1 submitting, 2 sent and awaiting a report, 3 unknown, and null for everything else; `deadline`
 * is when a timer has to look at the delivery, null when it is final. A place in the log is the log's number times
 * 2^40 plus the sequence, so that appending touches one page of one tree.
 *
 * Columns named `ordering` hold an order (messages/order.ts) as text, null where the entry is older than
 * orders are. `history` lists the places of the entries that a delivery was folded from, so that it can be folded anew.
 * `incarnations` outlives the entries of a log, whose number in `logs` is given to another log once they are gone.
 */
export const steps: readonly Step[] = [
  {
    number: 1,
    readableFrom: 1,
    statements: `
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
    `,
  },
  {
    // The release before opens it: it finds the columns that it knows, and names those that it writes. Its claims are
    // slower without the index that is replaced; what it writes has clock 0, which is read as the entry's sequence.
    number: 2,
    readableFrom: 1,
    statements: `
      ALTER TABLE log ADD COLUMN clock INTEGER NOT NULL DEFAULT 0;
      CREATE TABLE incarnations (id INTEGER PRIMARY KEY, incarnation TEXT NOT NULL UNIQUE, origin TEXT NOT NULL,
        opened INTEGER NOT NULL, sequence INTEGER NOT NULL);
      INSERT INTO incarnations (incarnation, origin, opened, sequence) SELECT incarnation, origin, 0, 0 FROM logs ORDER BY id;

      ALTER TABLE messages ADD COLUMN ordering TEXT;
      ALTER TABLE messages ADD COLUMN incarnation INTEGER;
      ALTER TABLE messages ADD COLUMN sequence INTEGER;
      ALTER TABLE messages ADD COLUMN superseded INTEGER;
      ALTER TABLE archive_messages ADD COLUMN ordering TEXT;
      ALTER TABLE archive_messages ADD COLUMN incarnation INTEGER;
      ALTER TABLE archive_messages ADD COLUMN sequence INTEGER;
      ALTER TABLE archive_messages ADD COLUMN superseded INTEGER;
      CREATE INDEX archive_messages_key ON archive_messages (key) WHERE key IS NOT NULL;
      ALTER TABLE deliveries ADD COLUMN owner TEXT;
      ALTER TABLE deliveries ADD COLUMN history TEXT;
      ALTER TABLE archive_deliveries ADD COLUMN owner TEXT;
      ALTER TABLE archive_deliveries ADD COLUMN history TEXT;
      DROP INDEX deliveries_queue;
      CREATE INDEX deliveries_claim ON deliveries (owner, priority, due) WHERE live = 0;
      CREATE TABLE pending (delivery TEXT NOT NULL, ordering TEXT NOT NULL, place INTEGER, at INTEGER NOT NULL,
        step TEXT NOT NULL, PRIMARY KEY (delivery, ordering)) WITHOUT ROWID;
      CREATE TABLE spans (ordering TEXT PRIMARY KEY, at INTEGER NOT NULL, operation TEXT NOT NULL) WITHOUT ROWID;

      ALTER TABLE inbound ADD COLUMN ordering TEXT;
      CREATE TABLE partials (entry TEXT NOT NULL, ordering TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (entry, ordering)) WITHOUT ROWID;

      ALTER TABLE facts ADD COLUMN ordering TEXT;
      CREATE TABLE revoked (id TEXT PRIMARY KEY) WITHOUT ROWID;
      CREATE TABLE members (node TEXT PRIMARY KEY, ordering TEXT NOT NULL, document TEXT) WITHOUT ROWID;
      CREATE TABLE revisions (id TEXT PRIMARY KEY, ordering TEXT NOT NULL, document TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE settled (revision TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (revision, path)) WITHOUT ROWID;
      CREATE TABLE audit (origin TEXT NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL, document TEXT NOT NULL,
        PRIMARY KEY (origin, number, hash)) WITHOUT ROWID;
      CREATE TABLE failover (at INTEGER NOT NULL, ordering TEXT NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (at, ordering)) WITHOUT ROWID;
      CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    `,
  },
  {
    // Messages whose client wants to be told what becomes of them. Within a JSON text a quote is escaped, so only the
    // field itself can match. The release before keeps the index up to date and does not use it.
    number: 3,
    readableFrom: 1,
    statements: `
      CREATE INDEX messages_callback ON messages (position) WHERE instr(document, '"callback":{') > 0;
    `,
  },
  {
    // People and their browsers. A removed user and an ended session stay as rows without a document: what made them may
    // still be on its way. The release before keeps the entries and does not know the tables.
    number: 4,
    readableFrom: 1,
    statements: `
      CREATE TABLE users (name TEXT PRIMARY KEY, ordering TEXT NOT NULL, document TEXT) WITHOUT ROWID;
      CREATE TABLE sessions (id TEXT PRIMARY KEY, used INTEGER NOT NULL, document TEXT) WITHOUT ROWID;
    `,
  },
  {
    // A long queue page by page, by state and by time. A delivery enters the first index once, when it has ended: what
    // changes all the time would cost pages with every change. The release before keeps them and does not use them.
    number: 5,
    readableFrom: 1,
    statements: `
      CREATE INDEX deliveries_ended ON deliveries (json_extract(document, '$.state')) WHERE live IS NULL;
      CREATE INDEX archive_deliveries_state ON archive_deliveries (json_extract(document, '$.state'));
      CREATE INDEX messages_at ON messages (at);
      CREATE INDEX archive_messages_at ON archive_messages (at);
    `,
  },
  {
    // Messages with a document, by its hash: what nobody refers to any more is removed. The release before keeps the
    // indexes up to date and does not use them.
    number: 6,
    readableFrom: 1,
    statements: `
      CREATE INDEX messages_document ON messages (json_extract(document, '$.document.hash'))
        WHERE instr(document, '"document":{') > 0;
      CREATE INDEX archive_messages_document ON archive_messages (json_extract(document, '$.document.hash'))
        WHERE instr(document, '"document":{') > 0;
    `,
  },
  {
    // Received faxes, among many short messages: every member is to have their pages.
    number: 7,
    readableFrom: 1,
    statements: `
      CREATE INDEX inbox_fax ON inbox (position) WHERE instr(document, '"fax":{') > 0;
    `,
  },
]

const versionOf = (db: DatabaseSync): number =>
  Number(db.prepare('PRAGMA user_version').get()?.['user_version'])

/**
 * Takes the steps that the store has not taken yet, each in a transaction of its own.
 * @throws CodedError `data-newer` when only a newer program can work with it
 */
export function migrate(db: DatabaseSync, known: readonly Step[] = steps): void {
  const newest = known.at(-1)?.number ?? 0
  const version = versionOf(db)
  if (version > newest) {
    const needed = Number(db.prepare('SELECT readable_from FROM format').get()?.['readable_from'])
    if (needed <= newest) return
    throw new CodedError(
      'data-newer',
      `the data was written by a newer version (format ${version}); this one knows formats up to ${newest}`,
    )
  }
  for (const step of known) {
    if (step.number <= version) continue
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(step.statements)
      db.prepare('UPDATE format SET readable_from = ?').run(step.readableFrom)
      db.exec(`PRAGMA user_version = ${step.number}`)
      db.exec('COMMIT')
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}
