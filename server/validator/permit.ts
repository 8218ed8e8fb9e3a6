import type { Metagraph } from "../chain/mod.ts";
import type { Log } from "../telemetry/mod.ts";

const WHY =
  "the chain gives this validator no permit yet, and miners refuse it: permits go to the " +
  "hotkeys with most stake, at each epoch";

/**
 * Whom a validator may test: nobody before it has its permit, or is the subnet's owner. Miners refuse
 * it until then, and that is no failure of theirs.
 */
export class Permit {
  readonly #self: string;
  readonly #log: Log;
  #logged = false;

  constructor(self: string, log: Log) {
    this.#self = self;
    this.#log = log;
  }

  /** @returns all of them, or none. */
  testable<T>({ neurons, ownerHotkey }: Metagraph, peers: readonly T[]): readonly T[] {
    const own = neurons.find(({ hotkey }) => hotkey === this.#self);
    const waits = !own?.validatorPermit && ownerHotkey !== this.#self;
    if (waits && !this.#logged) this.#log("not testing", { why: WHY }, "warn");
    this.#logged = waits;
    return waits ? [] : peers;
  }
}
