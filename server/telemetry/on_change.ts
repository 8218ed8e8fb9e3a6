import type { Log, LogLevel } from "./lines.ts";

/**
 * A log for what lasts: the same event with the same facts as the last time is logged at `debug`,
 * until another one came between, or the state was {@link OnChange.clear}ed.
 */
export class OnChange {
  readonly #log: Log;
  #last = "";

  constructor(log: Log) {
    this.#log = log;
  }

  say(event: string, facts: Readonly<Record<string, unknown>>, level: LogLevel = "info"): void {
    const now = JSON.stringify([event, facts]);
    this.#log(event, facts, now === this.#last ? "debug" : level);
    this.#last = now;
  }

  /** The next event is logged at its own level. */
  clear(): void {
    this.#last = "";
  }
}
