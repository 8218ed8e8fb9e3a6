import type { Log } from "../telemetry/mod.ts";
import type { Ledger } from "./ledger/mod.ts";
import type { Peer } from "./peers.ts";

/** Logs when a miner begins to drift, and when its newer checks are honest again. */
export class DriftWatch {
  readonly #drifting = new Set<string>();
  readonly #ledger: Pick<Ledger, "metrics">;
  readonly #log: Log;

  constructor(ledger: Pick<Ledger, "metrics">, log: Log) {
    this.#ledger = ledger;
    this.#log = log;
  }

  look(peers: readonly Peer[]): void {
    for (const { uid, hotkey } of peers) {
      const { drifting, checks } = this.#ledger.metrics(hotkey);
      if (drifting === this.#drifting.has(hotkey)) continue;
      if (drifting) this.#drifting.add(hotkey);
      else this.#drifting.delete(hotkey);
      if (drifting) this.#log("drifting", { uid, checks, why: WHY }, "warn");
      else this.#log("no longer drifting", { uid, checks });
    }
  }
}

const WHY = "its checks together are further off than those of honest machines; it is checked more";
