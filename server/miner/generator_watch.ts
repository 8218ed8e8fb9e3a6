import type { Hotkey } from "../../core/keys/mod.ts";
import { reason } from "../../core/error.ts";
import type { Log } from "../telemetry/mod.ts";
import { type Endpoint, openEndpoint } from "./generation_endpoint.ts";

/** Milliseconds from asking all generators to asking again. */
const EVERY_MS = 5000;

/**
 * Knows which generators are there. One that goes, or comes back, is an event; capacity and metrics
 * follow.
 */
export class GeneratorWatch implements AsyncDisposable {
  readonly #endpoints: readonly Endpoint[];
  readonly #hotkey: Hotkey;
  readonly #log: Log;
  readonly #timer: ReturnType<typeof setInterval>;
  #looking: Promise<void> | undefined;

  constructor(endpoints: readonly Endpoint[], hotkey: Hotkey, log: Log, everyMs = EVERY_MS) {
    this.#endpoints = endpoints;
    this.#hotkey = hotkey;
    this.#log = log;
    this.#timer = setInterval(() => {
      this.#looking ??= this.#lookAtAll().finally(() => this.#looking = undefined);
    }, everyMs);
  }

  /** Says of one that its connection failed. */
  lost(endpoint: Endpoint, why: unknown): void {
    if (!endpoint.up) return;
    endpoint.up = false;
    this.#log("generator_lost", { url: endpoint.url, why: reason(why) }, "warn");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    await Promise.all(this.#endpoints.map(async (endpoint) => {
      try {
        await openEndpoint(endpoint.url, this.#hotkey);
        if (endpoint.up) return;
        endpoint.up = true;
        this.#log("generator_back", { url: endpoint.url });
      } catch (error) {
        this.lost(endpoint, error);
      }
    }));
  }
}
