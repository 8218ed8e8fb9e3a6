import type { LedgerDatabase } from "./database.ts";
import { measuredAnswer, type MeasuredOf } from "./measured.ts";

/** How one request of a user ended at one miner. */
export interface UserResult {
  /** Of the request. */
  readonly id: string;
  readonly hotkey: string;
  readonly outcome: "served" | "failed" | "refused";
  /** In images of the model's default; of a refusal as much as the miner had room for. */
  readonly work: number;
  readonly why: string | null;
}

/** Whether miners served users. Each result counts once; recording returns whether it was new. */
export class UserResults {
  readonly #database: LedgerDatabase;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  /** A user's request was answered with a good image. */
  served(id: string, hotkey: string, work = 1): boolean {
    return this.record({ id, hotkey, outcome: "served", work, why: null });
  }

  /** A user's request was not. */
  failed(id: string, hotkey: string, why: string, work = 1): boolean {
    return this.record({ id, hotkey, outcome: "failed", work, why });
  }

  /** It was turned away, though the miner had room for as much. */
  refused(id: string, hotkey: string, why: string, work: number): boolean {
    return this.record({ id, hotkey, outcome: "refused", work, why });
  }

  /** @param at milliseconds since 1970. */
  record(result: UserResult, at = this.#database.now()): boolean {
    const measured = measuredAnswer(result, at);
    return this.#database.record(measured, () => this.#put("IGNORE", measured));
  }

  /** As the log of all processes has it. */
  replace(measured: MeasuredOf<"answer">): void {
    this.#put("REPLACE", measured);
  }

  #put(
    how: "IGNORE" | "REPLACE",
    { id, hotkey, outcome, work, why, at }: MeasuredOf<"answer">,
  ): boolean {
    const isNew = this.#database.run(
      `INSERT OR ${how} INTO service VALUES (?, ?, ?, ?, ?, ?)`,
      ...[id, hotkey, outcome, work, why, at],
    ) > 0;
    if (isNew) this.#database.changed(hotkey);
    return isNew;
  }

  /** Work done for users since a moment, in images of the model's default. */
  workSince(hotkey: string, since: number): number {
    const row = this.#database.first(
      "SELECT SUM(work) AS work FROM service WHERE hotkey = ? AND at >= ? AND outcome = 'served'",
      ...[hotkey, since],
    );
    return Number(row?.work ?? 0);
  }

  sweep(before: number): void {
    this.#database.run("DELETE FROM service WHERE at < ?", before);
  }
}
