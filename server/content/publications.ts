import type { DatabaseSync } from "node:sqlite";
import { contentScore, type Fingerprint, type SpreadPiece } from "../../core/content/mod.ts";
import { AppError, type ErrorCode } from "../../core/error.ts";
import type { SignedAttestation } from "../../core/protocol/mod.ts";
import { openDatabase } from "../storage/mod.ts";
import type { CarriedPiece } from "../virality/mod.ts";
import type { Refusals } from "./checks.ts";
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
  CREATE TABLE IF NOT EXISTS pinned (cid TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS refused (
    id TEXT PRIMARY KEY, miner TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS refused_by_miner ON refused (miner);
  CREATE TABLE IF NOT EXISTS batches (
    epoch INTEGER PRIMARY KEY, cid TEXT NOT NULL, root TEXT NOT NULL
  ) STRICT;
`;

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
   * The first published stands: a receipt's times are what its signer says.
   * @throws AppError `invalid_request` for a piece that is published, or a copy.
   */
  add(
    submission: Submission,
    { scores, fingerprint, copyOf }: Scored,
    at: number,
    attestations: readonly SignedAttestation[] = [],
  ): Piece {
    if (this.find(submission.id)) refuse(`${submission.id} is published already`);
    if (copyOf !== undefined) refuse(`the picture is a copy of ${this.#idAt(copyOf)}`);
    const { image, ...rest } = submission;
    const checked = attestations.length === 0 ? {} : { attestations };
    const listed = { ...rest, scores, ...checked, at, bytes: image.length };
    this.#database.prepare(
      "INSERT INTO pieces (id, at, creator, piece, image, fingerprint) VALUES (?, ?, ?, ?, ?, ?)",
    ).run(
      ...[submission.id, at, submission.creator, JSON.stringify(listed)],
      ...[image, encodeFingerprint(fingerprint)],
    );
    this.#fingerprints.push(fingerprint);
    return { ...listed, image };
  }

  #idAt(place: number): string {
    return String(this.#row("SELECT id FROM pieces ORDER BY place LIMIT 1 OFFSET ?", place)?.id);
  }

  find(id: string): Listed | undefined {
    const row = this.#row(`SELECT piece FROM pieces WHERE id = ?`, id);
    return row && listedOf(row);
  }

  /** A piece's file. */
  image(id: string): Uint8Array<ArrayBuffer> | undefined {
    const row = this.#row(`SELECT image FROM pieces WHERE id = ?`, id);
    return row && new Uint8Array(row.image as Uint8Array);
  }

  /** What a post of a piece has to show. */
  carried(id: string): CarriedPiece | undefined {
    const row = this.#row(`SELECT piece, fingerprint FROM pieces WHERE id = ?`, id);
    if (!row) return undefined;
    const { creator, receipt } = listedOf(row);
    const fingerprint = decodeFingerprint(String(row.fingerprint));
    return { id, creator, madeAt: receipt.times.finished, fingerprint };
  }

  /** The newest first. */
  list(limit: number): Listed[] {
    return this.#database.prepare(
      `SELECT piece FROM pieces ORDER BY place DESC LIMIT ?`,
    ).all(limit).map(listedOf);
  }

  /** All, as far as what they earn depends on them. */
  spreading(): SpreadPiece[] {
    return this.#database.prepare(`SELECT piece FROM pieces ORDER BY place`)
      .all().map(listedOf).map(({ id, creator, scores, receipt: { request: { parent } } }) => ({
        ...{ id, creator, score: contentScore({ ...scores }) },
        ...parent === undefined ? {} : { parent },
      }));
  }

  /** In no batch yet, in order, as far as their files have so many bytes together; one at least. */
  waiting(limit: number, maxBytes: number): Listed[] {
    const pieces: Listed[] = [];
    let bytes = 0;
    const rows = this.#database.prepare(
      "SELECT piece FROM pieces WHERE batch IS NULL ORDER BY place LIMIT ?",
    ).iterate(limit);
    for (const piece of rows.map(listedOf)) {
      bytes += piece.bytes;
      if (bytes > maxBytes && pieces.length > 0) break;
      pieces.push(piece);
    }
    return pieces;
  }

  /** The batch whose pieces are chosen, and which is not stored yet. */
  openBatch(): number | undefined {
    const row = this.#database.prepare(
      "SELECT MAX(batch) AS epoch FROM pieces WHERE batch > (SELECT COALESCE(MAX(epoch), 0) FROM batches)",
    ).get();
    return row?.epoch == null ? undefined : Number(row.epoch);
  }

  /**
   * Chooses the next batch's pieces, for good: one epoch never has other bytes, whatever is published
   * while it is stored, or fails.
   * @returns the open batch, where there is one; undefined when nothing waits.
   */
  freeze(limit: number, maxBytes: number): number | undefined {
    const open = this.openBatch();
    if (open !== undefined) return open;
    const pieces = this.waiting(limit, maxBytes);
    if (pieces.length === 0) return undefined;
    const epoch = this.batches().length + 1;
    const ids = JSON.stringify(pieces.map(({ id }) => id));
    this.#database.prepare(
      "UPDATE pieces SET batch = ? WHERE id IN (SELECT value FROM json_each(?))",
    ).run(epoch, ids);
    return epoch;
  }

  /** Of a batch, in order. */
  piecesOf(epoch: number): Piece[] {
    return this.#database.prepare("SELECT piece, image FROM pieces WHERE batch = ? ORDER BY place")
      .all(epoch).map((row) => ({
        ...listedOf(row),
        image: new Uint8Array(row.image as Uint8Array),
      }));
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
  addBatch({ epoch, cid, root }: StoredBatch): void {
    this.#database.prepare("INSERT INTO batches VALUES (?, ?, ?)").run(epoch, cid, root);
  }

  /** Receipts whose steps did not hold, for good. */
  get refusals(): Refusals {
    return {
      find: (id) => {
        const row = this.#row("SELECT code, message FROM refused WHERE id = ?", id);
        return row && { code: row.code as ErrorCode, message: String(row.message) };
      },
      has: (miner) =>
        this.#row("SELECT 1 FROM refused WHERE miner = ? LIMIT 1", miner) !== undefined,
      add: ({ id, miner, code, message }) => {
        this.#database.prepare("INSERT OR IGNORE INTO refused VALUES (?, ?, ?, ?)")
          .run(id, miner, code, message);
      },
    };
  }

  #row(sql: string, value: string | number) {
    return this.#database.prepare(sql).get(value);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot publish: ${why}`);
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
