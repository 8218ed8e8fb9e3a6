import { AppError, reason } from "../../core/error.ts";
import { parseJsonText } from "../../core/json_text.ts";
import type { Cluster } from "../cluster/mod.ts";
import { type Log, OnChange } from "../telemetry/mod.ts";
import { decodeMeasured, type Ledger, type Measured, measuredId } from "./ledger/mod.ts";
import { repeat } from "./repeat.ts";

interface SharedParts {
  readonly cluster: Pick<Cluster, "results">;
  readonly ledger: Pick<Ledger, "projection">;
  /** SS58 of the validator: others may use the same log. */
  readonly of: string;
  readonly log: Log;
  /** Milliseconds without an entry after which those that are missing are asked for again. */
  readonly patienceMs?: number;
}

/** Milliseconds from one look for what is to be sent to the next, and after a log that was lost. */
const SEND_MS = 500;
const PAUSE_MS = 1000;
/** Milliseconds without an entry that is there after which a reader is taken for lost. */
const PATIENCE_MS = 30_000;
/** Milliseconds from one look whether all that there is was read to the next. */
const LOOK_MS = 60_000;
/** Results that are sent at a time. */
const BATCH = 100;

/**
 * Keeps a ledger as what follows from the log that all processes of a validator share: sends what is
 * measured here, each once, and takes over what all others measured.
 */
export class SharedResults implements AsyncDisposable {
  readonly #parts: SharedParts;
  readonly #stop = new AbortController();
  /** Ends the reader of now: another begins where it was. */
  #reader = new AbortController();
  readonly #state: OnChange;
  readonly #sending: AsyncDisposable;
  readonly #watching: AsyncDisposable;
  readonly #reading: Promise<void>;
  /** One batch at a time. */
  #sent: Promise<void> = Promise.resolve();
  /** Those who wait for an entry. */
  readonly #waiting = new Set<() => void>();

  private constructor(parts: SharedParts) {
    this.#parts = parts;
    this.#state = new OnChange(parts.log);
    this.#reading = this.#read();
    this.#sending = repeat(SEND_MS, () => this.#send(), (error) => this.#failed(error));
    // Also where nobody asks: whoever ranks miners by what is known wants to know what is new.
    this.#watching = repeat(LOOK_MS, () => this.current(), (error) => this.#failed(error));
  }

  /** Resolves when the ledger has all that is in the log: only then it says what miners are worth. */
  static async open(parts: SharedParts): Promise<SharedResults> {
    const { projection } = parts.ledger;
    const last = await parts.cluster.results.last();
    // A log that was begun anew: what is in it was not read.
    if (projection.position > last) projection.take(0, undefined);
    const shared = new SharedResults(parts);
    try {
      await shared.#reaches(last);
      return shared;
    } catch (error) {
      await shared[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Sends what was measured here, and waits until the ledger has all that is in the log.
   * @throws AppError `cluster_unavailable`.
   */
  async current(): Promise<void> {
    await this.#send();
    await this.#reaches(await this.#parts.cluster.results.last());
  }

  /** What could not be sent is sent by the next process with this folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#watching[Symbol.asyncDispose]();
    await this.#sending[Symbol.asyncDispose]();
    await this.#send().catch((error) => this.#failed(error));
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { cluster: { results }, ledger: { projection } } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#reader = new AbortController();
      const end = AbortSignal.any([signal, this.#reader.signal]);
      try {
        for await (const { position, body } of results.read(projection.position, end)) {
          this.#take(position, body);
          this.#wake();
        }
      } catch (error) {
        this.#failed(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  #take(position: number, body: Uint8Array): void {
    this.#parts.ledger.projection.take(position, this.#decoded(position, body));
  }

  /** What cannot be read is of a later version, perhaps: the others count all the same. */
  #decoded(position: number, body: Uint8Array): Measured | undefined {
    try {
      return this.#measuredIn(body);
    } catch (error) {
      this.#parts.log("result not taken over", { position, error: reason(error) }, "warn");
      return undefined;
    }
  }

  #measuredIn(body: Uint8Array): Measured | undefined {
    const { of, measured } = Object(parseJsonText(new TextDecoder().decode(body)));
    return of === this.#parts.of ? decodeMeasured(measured) : undefined;
  }

  #send(): Promise<void> {
    return this.#sent = this.#sent.catch(() => {}).then(() => this.#sendAll());
  }

  async #sendAll(): Promise<void> {
    const { cluster: { results }, ledger: { projection }, of } = this.#parts;
    for (;;) {
      const waiting = projection.waiting(BATCH);
      const [newest] = waiting.slice(-1);
      if (!newest) return this.#state.clear();
      await Promise.all(waiting.map(({ measured }) => appendMeasured(results, of, measured)));
      projection.sent(newest.n);
    }
  }

  /** @throws AppError `cluster_unavailable` when nothing more comes; it is asked for again then. */
  async #reaches(position: number): Promise<void> {
    const { ledger: { projection }, patienceMs = PATIENCE_MS } = this.#parts;
    while (projection.position < position) {
      if (this.#stop.signal.aborted) {
        throw new AppError("cancelled", "Cannot read all results: it is stopping");
      }
      if (await this.#entry(patienceMs)) continue;
      this.#reader.abort();
      throw new AppError(
        "cluster_unavailable",
        `Cannot read all results: of ${position} the cluster has given ${projection.position}, and ` +
          "no more for a while",
      );
    }
  }

  /** @returns whether one came in time. */
  async #entry(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => resolve(true);
    this.#waiting.add(wake);
    const timer = setTimeout(() => resolve(false), ms);
    const came = await promise;
    clearTimeout(timer);
    this.#waiting.delete(wake);
    return came;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #failed(error: unknown): void {
    if (error instanceof AppError && error.code === "cancelled") return;
    this.#state.say("results not shared", { error: reason(error) }, "warn");
  }
}

/** @returns whether it is new; the first of an id counts. @throws as `ResultLog.append`. */
export async function appendMeasured(
  results: Cluster["results"],
  of: string,
  measured: Measured,
): Promise<boolean> {
  const body = new TextEncoder().encode(JSON.stringify({ of, measured }));
  return await results.append(measuredId(measured), body);
}
