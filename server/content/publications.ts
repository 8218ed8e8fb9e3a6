import type { DatabaseSync } from "node:sqlite";
import { contentScore, type Fingerprint, type SpreadPiece } from "../../core/content/mod.ts";
import { AppError } from "../../core/error.ts";
import type { SignedAttestation } from "../../core/protocol/mod.ts";
import { openDatabase } from "../storage/mod.ts";
import type { CarriedPiece } from "../virality/mod.ts";
import type { Scored, Scores } from "./scoring.ts";
import type { Submission } from "./submission.ts";

/** A published piece, without its file. */
export interface Listed extends Omit<Submission, "image"> {
  readonly scores: Scores;
  /** By whom its steps were checked, and how far. */
  readonly attestations?: readonly SignedAttestation[];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Bytes of its file. */
  readonly bytes: number;
}

/** A published piece. */
export type Piece = Listed & Pick<Submission, "image">;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS pieces (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, creator TEXT NOT NULL,
    piece TEXT NOT NULL, image BLOB NOT NULL, fingerprint TEXT NOT NULL, batch INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS pieces_by_batch ON pieces (batch, place);
  CREATE TABLE IF NOT EXISTS superseded (id TEXT PRIMARY KEY, by TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS pinned (cid TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS batches (
    epoch INTEGER PRIMARY KEY, cid TEXT NOT NULL, root TEXT NOT NULL
  ) STRICT;
`;

/** Pieces that gave way to an earlier receipt are kept, and are nobody's. */
const STANDS = "id NOT IN (SELECT id FROM superseded)";

/** A batch that was stored. */
export interface StoredBatch {
  readonly epoch: number;
  readonly cid: string;
  /** Merkle root over its pieces, in hex. */
  readonly root: string;
}

/** What was published, in order. */
export class Publications implements Disposable {
  readonly #database: DatabaseSync;
  readonly #fingerprints: Fingerprint[];

  /** @throws AppError `storage_failed`. */
  constructor(path: string) {
    this.#database = openDatabase(path, SCHEMA);
    this.#fingerprints = this.#database.prepare("SELECT fingerprint FROM pieces ORDER BY place")
      .all().map(({ fingerprint }) => decodeFingerprint(String(fingerprint)));
  }

  /** Of every piece, in order. */
  get fingerprints(): readonly Fingerprint[] {
    return this.#fingerprints;
  }

  /**
   * The earlier receipt wins: a copy of what is in no batch yet takes its place, if it was made before it.
   * @throws AppError `invalid_request` for a piece that is published, or another copy.
   */
  add(
    submission: Submission,
    { scores, fingerprint, copyOf }: Scored,
    at: number,
    attestations: readonly SignedAttestation[] = [],
  ): Piece {
    if (this.find(submission.id)) {
      throw new AppError(
        "invalid_request",
        `Cannot publish: ${submission.id} is published already`,
      );
    }
    const original = copyOf === undefined ? undefined : this.#original(copyOf, submission);
    const { image, ...rest } = submission;
    const checked = attestations.length === 0 ? {} : { attestations };
    const listed = { ...rest, scores, ...checked, at, bytes: image.length };
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.#database.prepare(
        "INSERT INTO pieces (id, at, creator, piece, image, fingerprint) VALUES (?, ?, ?, ?, ?, ?)",
      ).run(
        ...[submission.id, at, submission.creator, JSON.stringify(listed)],
        ...[image, encodeFingerprint(fingerprint)],
      );
      if (original !== undefined) {
        this.#database.prepare("INSERT INTO superseded VALUES (?, ?)").run(original, submission.id);
      }
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
    this.#fingerprints.push(fingerprint);
    return { ...listed, image };
  }

  /** @returns the id of the later receipt, which gives way. */
  #original(place: number, { receipt }: Submission): string {
    const first = this.#row(
      `SELECT pieces.id, piece, batch, by FROM pieces LEFT JOIN superseded USING (id)
       ORDER BY place LIMIT 1 OFFSET ?`,
      place,
    );
    const row = first && first.by !== null
      ? this.#row("SELECT id, piece, batch FROM pieces WHERE id = ?", String(first.by))
      : first;
    const { finished } = row ? listedOf(row).receipt.times : { finished: 0 };
    if (row && row.batch === null && receipt.times.finished < finished) return String(row.id);
    throw new AppError("invalid_request", `Cannot publish: the picture is a copy of ${row?.id}`);
  }

  find(id: string): Listed | undefined {
    const row = this.#row(`SELECT piece FROM pieces WHERE id = ? AND ${STANDS}`, id);
    return row && listedOf(row);
  }

  /** A piece's file. */
  image(id: string): Uint8Array<ArrayBuffer> | undefined {
    const row = this.#row(`SELECT image FROM pieces WHERE id = ? AND ${STANDS}`, id);
    return row && new Uint8Array(row.image as Uint8Array);
  }

  /** What a post of a piece has to show. */
  carried(id: string): CarriedPiece | undefined {
    const row = this.#row(`SELECT piece, fingerprint FROM pieces WHERE id = ? AND ${STANDS}`, id);
    if (!row) return undefined;
    const { creator, receipt } = listedOf(row);
    const fingerprint = decodeFingerprint(String(row.fingerprint));
    return { id, creator, madeAt: receipt.times.finished, fingerprint };
  }

  /** The newest first. */
  list(limit: number): Listed[] {
    return this.#database.prepare(
      `SELECT piece FROM pieces WHERE ${STANDS} ORDER BY place DESC LIMIT ?`,
    ).all(limit).map(listedOf);
  }

  /** All, as far as what they earn depends on them. */
  spreading(): SpreadPiece[] {
    return this.#database.prepare(`SELECT piece FROM pieces WHERE ${STANDS} ORDER BY place`)
      .all().map(listedOf).map(({ id, creator, scores, receipt: { request: { parent } } }) => ({
        ...{ id, creator, score: contentScore({ ...scores }) },
        ...parent === undefined ? {} : { parent },
      }));
  }

  /** In no batch yet, in order, as far as their files have so many bytes together; one at least. */
  waiting(limit: number, maxBytes: number): Piece[] {
    const pieces: Piece[] = [];
    let bytes = 0;
    const rows = this.#database.prepare(
      `SELECT piece, image FROM pieces WHERE batch IS NULL AND ${STANDS} ORDER BY place LIMIT ?`,
    ).iterate(limit);
    for (const row of rows) {
      const image = new Uint8Array(row.image as Uint8Array);
      bytes += image.length;
      if (bytes > maxBytes && pieces.length > 0) break;
      pieces.push({ ...listedOf(row), image });
    }
    return pieces;
  }

  batches(): StoredBatch[] {
    return this.#database.prepare("SELECT * FROM batches ORDER BY epoch").all().map(batchOf);
  }

  /** Batches that are not known to be on IPFS. */
  unpinned(): StoredBatch[] {
    return this.#database.prepare(
      "SELECT * FROM batches WHERE cid NOT IN (SELECT cid FROM pinned) ORDER BY epoch",
    ).all().map(batchOf);
  }

  pinned(cid: string): void {
    this.#database.prepare("INSERT OR IGNORE INTO pinned VALUES (?)").run(cid);
  }

  /** Once it is stored: a crash before makes the same batch again. */
  addBatch({ epoch, cid, root }: StoredBatch, ids: readonly string[]): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.#database.prepare("INSERT INTO batches VALUES (?, ?, ?)").run(epoch, cid, root);
      const mark = this.#database.prepare("UPDATE pieces SET batch = ? WHERE id = ?");
      for (const id of ids) mark.run(epoch, id);
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #row(sql: string, value: string | number) {
    return this.#database.prepare(sql).get(value);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function batchOf({ epoch, cid, root }: Readonly<Record<string, unknown>>): StoredBatch {
  return { epoch: Number(epoch), cid: String(cid), root: String(root) };
}

function listedOf(row: Readonly<Record<string, unknown>>): Listed {
  return JSON.parse(String(row.piece));
}

function encodeFingerprint({ embedding, ...rest }: Fingerprint): string {
  return JSON.stringify({ ...rest, embedding: [...embedding] });
}

function decodeFingerprint(text: string): Fingerprint {
  const { embedding, ...rest } = JSON.parse(text);
  return { ...rest, embedding: Float32Array.from(embedding) };
}
