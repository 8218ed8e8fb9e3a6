/** Verdicts that take a miner's reward. */
export const FAILED_CHECKS = `verdict IN ('suspect', 'invalid')`;

/**
 * Tables and indices of a ledger, as SQLite has them. `check_steps` was of another measure.
 * Times are milliseconds since 1970.
 */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS service
    (id TEXT, hotkey TEXT, outcome TEXT NOT NULL, work REAL NOT NULL, why TEXT, at INTEGER NOT NULL,
     PRIMARY KEY (id, hotkey)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS service_of ON service (hotkey, at, outcome, work);
  CREATE TABLE IF NOT EXISTS checks
    (id TEXT, hotkey TEXT, source TEXT NOT NULL, verdict TEXT NOT NULL, similarity REAL NOT NULL,
     error REAL, worst REAL, why TEXT, at INTEGER NOT NULL,
     PRIMARY KEY (id, hotkey)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS checks_of ON checks (hotkey, at, similarity, error);
  CREATE INDEX IF NOT EXISTS failed_checks_of ON checks (hotkey, at)
    WHERE ${FAILED_CHECKS};
  DROP TABLE IF EXISTS check_steps;
  CREATE TABLE IF NOT EXISTS step_gains
    (id TEXT, hotkey TEXT, ratios TEXT NOT NULL, gain REAL, backend TEXT, at INTEGER NOT NULL,
     PRIMARY KEY (id, hotkey)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS step_gains_of ON step_gains (hotkey, at, gain);
  CREATE TABLE IF NOT EXISTS windows
    (id TEXT PRIMARY KEY, hotkey TEXT NOT NULL, rps REAL NOT NULL, error_rate REAL NOT NULL,
     requests INTEGER NOT NULL, carried INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS windows_of ON windows (hotkey, at);
  CREATE TABLE IF NOT EXISTS roots
    (root TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS roots_at ON roots (at);
  CREATE TABLE IF NOT EXISTS pending
    (id TEXT, hotkey TEXT, evidence TEXT NOT NULL, at INTEGER NOT NULL,
     PRIMARY KEY (id, hotkey)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pending_inputs
    (id TEXT, sha256 TEXT, file BLOB NOT NULL, PRIMARY KEY (id, sha256)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS weights
    (block INTEGER PRIMARY KEY, uids TEXT NOT NULL, weights TEXT NOT NULL, at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS attestations
    (receipt TEXT, checker TEXT, entry TEXT NOT NULL, at INTEGER NOT NULL,
     PRIMARY KEY (receipt, checker)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS makers
    (receipt TEXT PRIMARY KEY, hotkey TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS doubts
    (hotkey TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS images
    (sha256 TEXT PRIMARY KEY, looks TEXT NOT NULL, entry TEXT NOT NULL, at INTEGER NOT NULL)
    WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS images_at ON images (at);
  CREATE INDEX IF NOT EXISTS images_of ON images (json_extract(entry, '$.id'));
  CREATE TABLE IF NOT EXISTS receipts
    (id TEXT PRIMARY KEY, entry TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS outbox
    (n INTEGER PRIMARY KEY AUTOINCREMENT, measured TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS projection
    (version INTEGER PRIMARY KEY, position INTEGER NOT NULL);
`;
