import type { Results } from "../../../core/protocol/mod.ts";
import type { CheckLedger } from "./checks.ts";
import type { LedgerDatabase } from "./database.ts";
import type { UserResults } from "./results.ts";
import { answerOf, checkOf, type Row, testOf } from "./rows.ts";
import type { TestLedger } from "./tests.ts";

/** The tables that both halves of a validator fill. */
interface Tables {
  readonly results: UserResults;
  readonly checks: CheckLedger;
  readonly tests: TestLedger;
}

const CHECKS_WITH_STEPS = "checks LEFT JOIN " +
  "(SELECT id, hotkey, ratios, deviation, backend FROM check_steps) USING (id, hotkey)";

/** What the two halves of a validator give each other. */
export class ResultExchange {
  readonly #database: LedgerDatabase;
  readonly #tables: Tables;

  constructor(database: LedgerDatabase, tables: Tables) {
    this.#database = database;
    this.#tables = tables;
  }

  /**
   * What was measured since a moment, here or by the other half.
   * @param since milliseconds since 1970.
   * @param max of a kind.
   */
  since(since: number, max: number): Results {
    const read = (table: "service" | typeof CHECKS_WITH_STEPS | "windows"): Row[] =>
      this.#database.all(`SELECT * FROM ${table} WHERE at >= ? ORDER BY at LIMIT ?`, since, max);
    const rows = [read("service"), read(CHECKS_WITH_STEPS), read("windows")];
    const [answers, checks, tests] = rows;
    const newest = rows.map((kind) => Number(kind.at(-1)?.at ?? since));
    const cut = newest.filter((_, k) => rows[k].length === max);
    return {
      answers: answers.map(answerOf),
      checks: checks.map(checkOf),
      tests: tests.map(testOf),
      next: cut.length > 0 ? Math.min(...cut) : Math.max(...newest),
    };
  }

  /** Takes over what the other half measured; what is known already stays as it is. */
  merge({ answers, checks, tests }: Results): void {
    this.#database.atomically(() => {
      for (const { at, ...result } of answers) this.#tables.results.record(result, at);
      for (const { at, ...check } of checks) this.#tables.checks.record(check, at);
      for (const { at, hotkey, ...test } of tests) this.#tables.tests.record(hotkey, test, at);
    });
  }
}
