import type { GenerationRequest } from "../../../core/request/mod.ts";
import type { Sql, SqlRow } from "../../storage/mod.ts";

/** What a key used on one day, in UTC. */
export interface Usage {
  /** Of an `ApiKey`. */
  readonly owner: string;
  /** ISO date. */
  readonly day: string;
  readonly images: number;
  /** Pixels times steps, of all images. */
  readonly pixelSteps: number;
  /** Images that could not be made. */
  readonly failures: number;
}

/** What each key used, by days. */
export class UsageTable {
  readonly #sql: Sql;
  readonly #clock: () => number;

  constructor(sql: Sql, clock: () => number) {
    this.#sql = sql;
    this.#clock = clock;
  }

  made(
    owner: string,
    { width, height, steps }: Pick<GenerationRequest, "width" | "height" | "steps">,
  ): void {
    this.#add(owner, 1, width * height * steps, 0);
  }

  failed(owner: string): void {
    this.#add(owner, 0, 0, 1);
  }

  imagesToday(owner: string): number {
    const row = this.#sql.first(
      "SELECT images FROM usage WHERE owner = ? AND day = ?",
      ...[owner, this.#today()],
    );
    return Number(row?.images ?? 0);
  }

  /** The newest day first. @param owner of one key, or of all. @param since ISO date. */
  list({ owner, since = "" }: { readonly owner?: string; readonly since?: string } = {}): Usage[] {
    return this.#sql.all(
      `SELECT * FROM usage WHERE (? IS NULL OR owner = ?) AND day >= ? ORDER BY day DESC, owner`,
      ...[owner ?? null, owner ?? null, since],
    ).map(usageOf);
  }

  /** Milliseconds until the next day begins. */
  untilTomorrow(): number {
    return Date.parse(this.#today()) + DAY_MS - this.#clock();
  }

  #add(owner: string, images: number, pixelSteps: number, failures: number): void {
    this.#sql.run(
      `INSERT INTO usage VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         images = images + excluded.images, pixel_steps = pixel_steps + excluded.pixel_steps,
         failures = failures + excluded.failures`,
      ...[owner, this.#today(), images, pixelSteps, failures],
    );
  }

  #today(): string {
    return new Date(this.#clock()).toISOString().slice(0, 10);
  }
}

const DAY_MS = 24 * 3600 * 1000;

function usageOf(row: SqlRow): Usage {
  return {
    ...{ owner: String(row.owner), day: String(row.day), images: Number(row.images) },
    ...{ pixelSteps: Number(row.pixel_steps), failures: Number(row.failures) },
  };
}
