import { AppError } from "../../core/error.ts";
import type { Hash, Receipt } from "../../core/transcript/mod.ts";
import type { LeafSource } from "../../core/prover/mod.ts";

/** Where a miner keeps the transcripts that it may be asked to open: one for each image. */
export interface TranscriptStore extends AsyncDisposable {
  /**
   * Begins a transcript, which is not served until it is committed.
   * @param bytes how many will come, as far as that is known: what can never fit is refused here,
   * before it takes the place of others.
   * @throws AppError `transcript_invalid` for a name that is taken or no name, `storage_failed`.
   */
  create(id: string, bytes?: number): Promise<TranscriptWriter>;
  /** @throws AppError `transcript_not_found` when it never was, was removed or is too old. */
  open(id: string): Promise<StoredTranscript>;
  /** Deletes a transcript, if it is there. */
  remove(id: string): Promise<void>;
  /** Removes what is too old. A store does so by itself, in use or not. */
  sweep(): Promise<void>;
  readonly usage: StoreUsage;
}

/** A transcript that is being written. Disposing it without a commit leaves nothing. */
export interface TranscriptWriter extends AsyncDisposable {
  /**
   * Takes the next leaf's bytes, which must not change afterwards. Leaves are written one after
   * the other while the generation goes on; what fails is thrown by `commit`.
   */
  append(bytes: Uint8Array): void;
  /**
   * Takes a file that the request names, by its hash, after the last leaf. It is kept, and goes, with
   * the transcript.
   */
  attach(sha256: string, bytes: Uint8Array): void;
  /**
   * Makes the transcript durable and served.
   * @param hashes one for each leaf.
   * @throws AppError `storage_failed`, or `transcript_invalid` when leaves are missing.
   */
  commit(receipt: Receipt, hashes: readonly Hash[]): Promise<void>;
}

/** A kept transcript, open for reading: leaves are read one by one. */
export interface StoredTranscript extends LeafSource, AsyncDisposable {
  readonly receipt: Receipt;
  /** A file that was attached. @throws AppError `transcript_not_found`. */
  input(sha256: string): Promise<Uint8Array<ArrayBuffer>>;
}

export interface StoreUsage {
  readonly transcripts: number;
  /** Committed ones and those being written. */
  readonly bytes: number;
}

/** A transcript that was removed by the store itself. */
export interface Eviction {
  readonly id: string;
  readonly bytes: number;
  readonly ageMs: number;
  /** `age`: older than the limit. `space`: the oldest, when a new one needed its place. */
  readonly why: "age" | "space";
}

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * A name that is safe as part of a path.
 * @throws AppError `transcript_invalid`.
 */
export function checkTranscriptId(id: string): string {
  if (ID.test(id)) return id;
  throw new AppError(
    "transcript_invalid",
    `Cannot use a transcript: ${JSON.stringify(id.slice(0, 70))} is no name of one`,
  );
}
