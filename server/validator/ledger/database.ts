import { Sql } from "../../storage/mod.ts";
import { SCHEMA } from "./schema.ts";

/** The ledger's one SQLite handle, which its tables share, and its clock. */
export class LedgerDatabase extends Sql {
  readonly #clock: () => number;
  readonly #versions = new Map<string, number>();

  /** @param path of an SQLite file. @param clock milliseconds since 1970. */
  constructor(path: string, clock: () => number) {
    super(path, SCHEMA);
    this.#clock = clock;
  }

  now(): number {
    return this.#clock();
  }

  /** There is something new of a miner. */
  changed(hotkey: string): void {
    this.#versions.set(hotkey, 1 + this.versionOf(hotkey));
  }

  /** Another one whenever this process has recorded something of a miner. */
  versionOf(hotkey: string): number {
    return this.#versions.get(hotkey) ?? 0;
  }
}
