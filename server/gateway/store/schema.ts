import { WIDEN_KEY_IDS } from "./key_id.ts";

/**
 * Tables of the gateway, as SQLite has them. Times are milliseconds since 1970, days are ISO dates in
 * UTC.
 */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS jobs
    (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
     state TEXT NOT NULL, format TEXT NOT NULL, created INTEGER NOT NULL, started INTEGER,
     ended INTEGER, code TEXT, error TEXT, webhook TEXT, idempotency TEXT, asked TEXT);
  CREATE INDEX IF NOT EXISTS jobs_of ON jobs (owner, number);
  CREATE INDEX IF NOT EXISTS jobs_open ON jobs (number) WHERE ended IS NULL;
  CREATE INDEX IF NOT EXISTS jobs_ended ON jobs (ended) WHERE ended IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS jobs_once ON jobs (owner, idempotency)
    WHERE idempotency IS NOT NULL;
  CREATE TABLE IF NOT EXISTS images
    (job TEXT, n INTEGER, state TEXT NOT NULL, request TEXT NOT NULL, record TEXT, sha256 TEXT,
     bytes INTEGER, code TEXT, error TEXT, started INTEGER, ended INTEGER, seq INTEGER,
     PRIMARY KEY (job, n)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS images_by_hash ON images (sha256) WHERE sha256 IS NOT NULL;
  CREATE TABLE IF NOT EXISTS inputs
    (job TEXT, sha256 TEXT, PRIMARY KEY (job, sha256)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS inputs_by_hash ON inputs (sha256);
  CREATE TABLE IF NOT EXISTS refinements
    (job TEXT PRIMARY KEY, upscale REAL NOT NULL, refine REAL NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS webhooks
    (job TEXT PRIMARY KEY, attempts INTEGER NOT NULL, due INTEGER NOT NULL, error TEXT) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (due);
  CREATE TABLE IF NOT EXISTS keys
    (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE,
     created INTEGER NOT NULL, expires INTEGER, revoked INTEGER, limits TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS file_keys (id TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS usage
    (owner TEXT, day TEXT, images INTEGER NOT NULL DEFAULT 0, pixel_steps INTEGER NOT NULL DEFAULT 0,
     failures INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (owner, day)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  ${WIDEN_KEY_IDS}
`;
