import { Sql } from "../../storage/mod.ts";
import type { Measured } from "./measured.ts";
import { SCHEMA } from "./schema.ts";

/** The ledger's one SQLite handle, which its tables share, and its clock. */
export class LedgerDatabase extends Sql {
  readonly #clock: () => number;
  readonly #shared: boolean;
  readonly #versions = new Map<string, number>();

  /**
   * @param path of an SQLite file.
   * @param clock milliseconds since 1970.
   * @param shared whether other processes shall know what is measured here.
   */
  constructor(path: string, clock: () => number, shared: boolean) {
    super(path, SCHEMA);
    this.#clock = clock;
    this.#shared = shared;
  }

  now(): number {
    return this.#clock();
  }

  /**
   * Keeps what was measured here, and has other processes know it, where it is new.
   * @param put keeps it. @returns false where that does, for what is known.
   */
  record(measured: Measured, put: () => boolean | void): boolean {
    return this.atomically(() => {
      const isNew = put() !== false;
      if (isNew) this.#publish(measured);
      return isNew;
    });
  }

  #publish(measured: Measured): void {
    if (!this.#shared) return;
    this.run("INSERT INTO outbox (measured) VALUES (?)", JSON.stringify(measured));
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
