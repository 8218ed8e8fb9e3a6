import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What a validator tells Prometheus. */
export class ValidatorMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"outcome">;
  readonly #seconds: Histogram;
  readonly #scores: Counter<"verdict">;

  /** @param block of the weights that were set last; undefined before there are any. */
  constructor({ miners, block }: {
    readonly miners: () => number;
    readonly block: () => number | undefined;
  }) {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "stepwise_user_requests_total",
      help: "Requests of users, by outcome: served, or an error's code",
      labelNames: ["outcome"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "stepwise_user_request_seconds",
      help: "From a user's request to the image",
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
      registers,
    });
    this.#scores = new Counter({
      name: "stepwise_checks_total",
      help: "Images that were checked, by verdict",
      labelNames: ["verdict"],
      registers,
    });
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(read());
        },
      });
    gauge("stepwise_miners", "Neurons that serve an axon", miners);
    gauge("stepwise_weights_block", "Of the weights that were set last", () => block() ?? 0);
  }

  requested(outcome: string, seconds: number): void {
    this.#requests.inc({ outcome });
    if (outcome === "served") this.#seconds.observe(seconds);
  }

  scored(verdict: string): void {
    this.#scores.inc({ verdict });
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}
