import type { DatabaseSync } from "node:sqlite";
import type { Fingerprint } from "../../core/content/mod.ts";
import { AppError } from "../../core/error.ts";
import { openDatabase } from "../storage/mod.ts";
import type { Scored, Scores } from "./scoring.ts";
import type { Submission } from "./submission.ts";

/** A published piece. */
export interface Piece extends Submission {
  readonly scores: Scores;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS pieces (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, creator TEXT NOT NULL,
    piece TEXT NOT NULL, image BLOB NOT NULL, fingerprint TEXT NOT NULL, batch INTEGER
  ) STRICT;
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

  /** @throws AppError `invalid_request` for a piece that is published, or a copy of one. */
  add(submission: Submission, { scores, fingerprint, copyOf }: Scored, at: number): Piece {
    if (this.find(submission.id)) {
      throw new AppError(
        "invalid_request",
        `Cannot publish: ${submission.id} is published already`,
      );
    }
    if (copyOf !== undefined) {
      const { id } = this.#row("SELECT id FROM pieces ORDER BY place LIMIT 1 OFFSET ?", copyOf) ??
        {};
      throw new AppError("invalid_request", `Cannot publish: the picture is a copy of ${id}`);
    }
    const { image, ...rest } = submission;
    this.#database.prepare(
      "INSERT INTO pieces (id, at, creator, piece, image, fingerprint) VALUES (?, ?, ?, ?, ?, ?)",
    ).run(
      ...[submission.id, at, submission.creator, JSON.stringify({ ...rest, scores, at })],
      ...[image, encodeFingerprint(fingerprint)],
    );
    this.#fingerprints.push(fingerprint);
    return { ...submission, scores, at };
  }

  find(id: string): Piece | undefined {
    const row = this.#row("SELECT piece, image FROM pieces WHERE id = ?", id);
    return row && pieceOf(row);
  }

  /** The newest first. */
  list(limit: number): Piece[] {
    return this.#database.prepare("SELECT piece, image FROM pieces ORDER BY place DESC LIMIT ?")
      .all(limit).map(pieceOf);
  }

  /** In no batch yet, in order. */
  waiting(limit: number): Piece[] {
    return this.#database.prepare(
      "SELECT piece, image FROM pieces WHERE batch IS NULL ORDER BY place LIMIT ?",
    ).all(limit).map(pieceOf);
  }

  batches(): StoredBatch[] {
    return this.#database.prepare("SELECT * FROM batches ORDER BY epoch").all()
      .map(({ epoch, cid, root }) => ({
        epoch: Number(epoch),
        cid: String(cid),
        root: String(root),
      }));
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

function pieceOf(row: Readonly<Record<string, unknown>>): Piece {
  const image = new Uint8Array(row.image as Uint8Array);
  return { ...JSON.parse(String(row.piece)), image };
}

function encodeFingerprint({ embedding, ...rest }: Fingerprint): string {
  return JSON.stringify({ ...rest, embedding: [...embedding] });
}

function decodeFingerprint(text: string): Fingerprint {
  const { embedding, ...rest } = JSON.parse(text);
  return { ...rest, embedding: Float32Array.from(embedding) };
}
