import type { ImageFormat } from "../../../core/image/mod.ts";
import type { ImageForUser, Refinement } from "../../../core/protocol/mod.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";

/** How far a job is, or one of its images. A job of which one image failed has failed. */
export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

/** Why something failed: a stable code, and a sentence. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What is kept of an image besides its file: the receipt, who made it, and the verdict if checked. */
export type MadeRecord = Omit<ImageForUser, "image" | "mediaType" | "watermarked">;

/** One image of a job. Times are milliseconds since 1970. */
export interface JobImage {
  /** From 0. */
  readonly n: number;
  readonly state: JobState;
  /** Complete, of one image; where it is refined, of its first run. */
  readonly request: GenerationRequest;
  readonly record: MadeRecord | undefined;
  /** Of the file, in hex; undefined until it is there. */
  readonly sha256: string | undefined;
  readonly failure: Failure | undefined;
  /** Its place among the job's images that have ended, from 1. */
  readonly seq: number | undefined;
}

/** Several images that one key asked for at once. Times are milliseconds since 1970. */
export interface Job {
  readonly id: string;
  /** Grows from job to job. */
  readonly number: number;
  /** Of an `ApiKey`. */
  readonly owner: string;
  readonly state: JobState;
  readonly format: ImageFormat;
  readonly created: number;
  /** When the first image was begun. */
  readonly started: number | undefined;
  readonly ended: number | undefined;
  readonly failure: Failure | undefined;
  /** Where its end is reported. */
  readonly webhook: string | undefined;
  /** Of jobs whose images are enlarged and drawn anew. */
  readonly refinement: Refinement | undefined;
  readonly images: readonly JobImage[];
}

/** A job that has not begun. */
export interface NewJob {
  readonly id: string;
  readonly owner: string;
  readonly format: ImageFormat;
  readonly requests: readonly GenerationRequest[];
  /** Hashes of files that the requests name. */
  readonly inputs: readonly string[];
  readonly webhook: string | undefined;
  readonly refinement: Refinement | undefined;
  readonly once: Once | undefined;
}

/** What tells a repeated call from a new one. */
export interface Once {
  /** `Idempotency-Key`. */
  readonly key: string;
  /** Hash of what was asked. */
  readonly asked: string;
}
