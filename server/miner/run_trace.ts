import { traceOf, type TraceParent, traceParent } from "../telemetry/mod.ts";

/** Spans of one request's run, in the span in which it came: `queue`, `conditioning` and each `step`. */
export class RunTrace {
  readonly #parent: TraceParent | undefined = traceParent();
  /** When what comes next began, in milliseconds since 1970. */
  #since = Date.now();
  #conditioned = false;

  /** Its turn has come. */
  begins(): void {
    this.#end("queue");
  }

  /** A state is there; the first of them after the prompts were encoded. */
  leaf(): void {
    if (this.#conditioned) return;
    this.#conditioned = true;
    this.#end("conditioning");
  }

  step(index: number): void {
    this.#end("step", { index });
  }

  #end(name: string, attributes = {}): void {
    // Of what nobody traces nothing is kept.
    if (this.#parent === undefined) return;
    traceOf(name, { attributes, from: this.#since, parent: this.#parent });
    this.#since = Date.now();
  }
}
