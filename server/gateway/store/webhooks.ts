import type { Sql } from "../../storage/mod.ts";

/** A report of a job's end that has not been taken yet. */
export interface DueReport {
  readonly job: string;
  /** Of the job. */
  readonly owner: string;
  /** How often it was sent in vain. */
  readonly attempts: number;
}

/** Reports that are still to be sent; the ends of jobs add them. */
export class WebhookTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Of each key in turn the most overdue. */
  due(now: number, limit: number): DueReport[] {
    return this.#sql.all(
      `SELECT webhooks.job, owner, attempts,
         ROW_NUMBER() OVER (PARTITION BY owner ORDER BY due) AS turn
       FROM webhooks JOIN jobs ON jobs.id = webhooks.job
       WHERE due <= ? ORDER BY turn, due LIMIT ?`,
      ...[now, limit],
    ).map(({ job, owner, attempts }) => ({
      ...{ job: String(job), owner: String(owner), attempts: Number(attempts) },
    }));
  }

  /** Milliseconds since 1970; undefined where there is none. */
  nextDue(): number | undefined {
    const due = this.#sql.first("SELECT MIN(due) AS due FROM webhooks")?.due;
    return due === null || due === undefined ? undefined : Number(due);
  }

  /** It was taken, or is given up. */
  end(job: string): void {
    this.#sql.run("DELETE FROM webhooks WHERE job = ?", job);
  }

  again(job: string, due: number, error: string): void {
    this.#sql.run(
      "UPDATE webhooks SET attempts = attempts + 1, due = ?, error = ? WHERE job = ?",
      ...[due, error, job],
    );
  }
}
