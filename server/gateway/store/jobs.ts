import { encodeRequest, type GenerationRequest } from "../../../core/request/mod.ts";
import type { Sql, SqlRow } from "../../storage/mod.ts";
import type { Failure, Job, JobImage, JobState, MadeRecord, NewJob } from "./job.ts";
import { imageOf, jobOf, textOf } from "./rows.ts";
import { runsOf } from "./refined_request.ts";
import type { UsageTable } from "./usage.ts";

/** What of a key's jobs is listed, the newest first. */
export interface Listing {
  readonly state?: JobState;
  /** Only older ones than this number. */
  readonly before?: number;
  readonly limit: number;
}

/** Jobs and their images. Each change is one transaction; a job that has ended does not change. */
export class JobTable {
  readonly #sql: Sql;
  readonly #usage: UsageTable;
  readonly #clock: () => number;

  constructor(sql: Sql, usage: UsageTable, clock: () => number) {
    this.#sql = sql;
    this.#usage = usage;
    this.#clock = clock;
  }

  add({ id, owner, format, requests, inputs, webhook, refinement, once }: NewJob): Job {
    return this.#sql.atomically(() => {
      this.#sql.run(
        `INSERT INTO jobs (id, owner, state, format, created, webhook, idempotency, asked)
         VALUES (?, ?, 'queued', ?, ?, ?, ?, ?)`,
        ...[id, owner, format, this.#clock()],
        ...[webhook ?? null, once?.key ?? null, once?.asked ?? null],
      );
      for (const [n, request] of requests.entries()) {
        this.#sql.run(
          "INSERT INTO images (job, n, state, request) VALUES (?, ?, 'queued', ?)",
          ...[id, n, JSON.stringify(encodeRequest(request))],
        );
      }
      for (const sha256 of inputs) {
        this.#sql.run("INSERT OR IGNORE INTO inputs VALUES (?, ?)", id, sha256);
      }
      if (refinement) {
        const { upscale, refine } = refinement;
        this.#sql.run("INSERT INTO refinements VALUES (?, ?, ?)", id, upscale, refine);
      }
      return this.#whole(this.#sql.first("SELECT * FROM jobs WHERE id = ?", id) ?? {});
    });
  }

  get(id: string): Job | undefined {
    const row = this.#sql.first("SELECT * FROM jobs WHERE id = ?", id);
    return row && this.#whole(row);
  }

  /** The job of an earlier call with the same `Idempotency-Key`, and what that asked for. */
  ofOnce(owner: string, key: string): { readonly job: Job; readonly asked: string } | undefined {
    const row = this.#sql.first(
      "SELECT * FROM jobs WHERE owner = ? AND idempotency = ?",
      ...[owner, key],
    );
    return row && { job: this.#whole(row), asked: String(row.asked) };
  }

  list(owner: string, { state, before = Number.MAX_SAFE_INTEGER, limit }: Listing): Job[] {
    return this.#sql.all(
      `SELECT * FROM jobs WHERE owner = ? AND number < ? AND (? IS NULL OR state = ?)
       ORDER BY number DESC LIMIT ?`,
      ...[owner, before, state ?? null, state ?? null, limit],
    ).map((row) => this.#whole(row));
  }

  /** The oldest first. */
  open(): Job[] {
    return this.#sql.all("SELECT * FROM jobs WHERE ended IS NULL ORDER BY number")
      .map((row) => this.#whole(row));
  }

  /** Jobs and images of a key that have not ended; one that is refined is two. */
  openOf(owner: string): { readonly jobs: number; readonly images: number } {
    const row = this.#sql.first(
      `SELECT COUNT(DISTINCT jobs.id) AS jobs, COUNT(*) + COUNT(refinements.job) AS images
       FROM jobs JOIN images ON images.job = jobs.id AND images.ended IS NULL
       LEFT JOIN refinements ON refinements.job = jobs.id
       WHERE jobs.owner = ? AND jobs.ended IS NULL`,
      owner,
    );
    return { jobs: Number(row?.jobs), images: Number(row?.images) };
  }

  begin(id: string, n: number): void {
    const now = this.#clock();
    this.#sql.loosely(() => {
      this.#sql.run(
        "UPDATE images SET state = 'running', started = ? WHERE job = ? AND n = ? AND ended IS NULL",
        ...[now, id, n],
      );
      this.#sql.run(
        `UPDATE jobs SET state = 'running', started = COALESCE(started, ?)
         WHERE id = ? AND ended IS NULL`,
        ...[now, id],
      );
    });
  }

  /** @returns the job as it is then; undefined where the image had ended already. */
  made(id: string, n: number, record: MadeRecord, file: FileFacts): Job | undefined {
    return this.#endImage(id, n, "done", (job, { request }) => {
      this.#sql.run(
        "UPDATE images SET record = ?, sha256 = ?, bytes = ? WHERE job = ? AND n = ?",
        ...[JSON.stringify(record), file.sha256, file.bytes, id, n],
      );
      for (const run of runsOf(request, job.refinement)) this.#usage.made(job.owner, run);
    });
  }

  /** @returns as {@link made}. */
  failed(id: string, n: number, { code, message }: Failure): Job | undefined {
    return this.#endImage(id, n, "failed", (job) => {
      this.#sql.run(
        "UPDATE images SET code = ?, error = ? WHERE job = ? AND n = ?",
        ...[code, message, id, n],
      );
      this.#usage.failed(job.owner);
    });
  }

  /** Ends what has not ended. @returns undefined where the job had ended already. */
  cancel(id: string): Job | undefined {
    return this.#sql.atomically(() => {
      const job = this.get(id);
      if (!job || job.ended !== undefined) return undefined;
      for (const { n, seq } of job.images) if (seq === undefined) this.#endRow(id, n, "cancelled");
      this.#endJob(job, "cancelled");
      return this.get(id);
    });
  }

  /** Where a file is that a key gave, or that was made for it: the job, and its image's number. */
  placeOf(owner: string, sha256: string): { job: string; n: number | undefined } | undefined {
    const input = this.#sql.first(
      `SELECT inputs.job FROM inputs JOIN jobs ON jobs.id = inputs.job
       WHERE inputs.sha256 = ? AND owner = ?`,
      ...[sha256, owner],
    );
    if (input) return { job: String(input.job), n: undefined };
    const image = this.#sql.first(
      `SELECT images.job, images.n FROM images JOIN jobs ON jobs.id = images.job
       WHERE images.sha256 = ? AND owner = ?`,
      ...[sha256, owner],
    );
    return image && { job: String(image.job), n: Number(image.n) };
  }

  /** Forgets jobs that ended before a moment, but for those whose webhook is still to be called. */
  sweep(before: number): string[] {
    return this.#sql.atomically(() => {
      const ids = this.#sql.all(
        "SELECT id FROM jobs WHERE ended < ? AND id NOT IN (SELECT job FROM webhooks)",
        before,
      ).map(({ id }) => String(id));
      for (const id of ids) {
        for (const table of ["images", "inputs", "refinements"]) {
          this.#sql.run(`DELETE FROM ${table} WHERE job = ?`, id);
        }
        this.#sql.run("DELETE FROM jobs WHERE id = ?", id);
      }
      return ids;
    });
  }

  has(id: string): boolean {
    return this.#sql.first("SELECT 1 FROM jobs WHERE id = ?", id) !== undefined;
  }

  #endImage(
    id: string,
    n: number,
    state: JobState,
    also: (job: Job, image: JobImage) => void,
  ): Job | undefined {
    // An image that a power cut took is made again, as its file may be gone too.
    return this.#sql.loosely(() => {
      const before = this.get(id);
      const image = before?.images[n];
      if (!before || !image || image.seq !== undefined) return undefined;
      this.#endRow(id, n, state);
      also(before, image);
      const images = this.#imagesOf(id);
      if (images.every(({ seq }) => seq !== undefined)) {
        const bad = images.find(({ failure }) => failure);
        this.#endJob(before, bad ? "failed" : "done", bad && failureOf(images, bad.failure));
      }
      return this.get(id);
    });
  }

  #endRow(id: string, n: number, state: JobState): void {
    this.#sql.run(
      `UPDATE images SET state = ?, ended = ?,
         seq = 1 + (SELECT COUNT(*) FROM images WHERE job = ? AND seq IS NOT NULL)
       WHERE job = ? AND n = ?`,
      ...[state, this.#clock(), id, id, n],
    );
  }

  #endJob({ id, webhook }: Job, state: JobState, failure?: Failure): void {
    const now = this.#clock();
    this.#sql.run(
      "UPDATE jobs SET state = ?, ended = ?, code = ?, error = ? WHERE id = ?",
      ...[state, now, failure?.code ?? null, failure?.message ?? null, id],
    );
    // Files that were given for what is not there are kept no longer.
    if (state !== "done") this.#sql.run("DELETE FROM inputs WHERE job = ?", id);
    if (webhook !== undefined) {
      this.#sql.run("INSERT OR IGNORE INTO webhooks VALUES (?, 0, ?, NULL)", id, now);
    }
  }

  #whole(row: SqlRow): Job {
    const id = textOf(row.id) ?? "";
    const refined = this.#sql.first("SELECT * FROM refinements WHERE job = ?", id);
    return jobOf(row, this.#imagesOf(id), refined);
  }

  #imagesOf(id: string): JobImage[] {
    return this.#sql.all("SELECT * FROM images WHERE job = ? ORDER BY n", id).map(imageOf);
  }
}

/** Of an image's file. */
interface FileFacts {
  readonly sha256: string;
  readonly bytes: number;
}

function failureOf(images: readonly JobImage[], first: Failure | undefined): Failure | undefined {
  const failed = images.filter(({ failure }) => failure).length;
  if (!first || images.length === 1) return first;
  const message = `${failed} of the ${images.length} could not be made: ${first.message}`;
  return { code: first.code, message };
}

/** Seeds follow one another, as those of a batch do. */
export function imagesOfBatch(request: GenerationRequest): GenerationRequest[] {
  return Array.from({ length: request.batch }, (_, k) => ({
    ...request,
    ...{ batch: 1, seed: request.seed + BigInt(k) },
  }));
}
