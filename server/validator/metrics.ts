import { Metrics } from "../neuron/mod.ts";

/** What a validator exposes to Prometheus. */
export class ValidatorMetrics extends Metrics {
  readonly #requests = this.counter(
    "stepwise_user_requests_total",
    "Requests of users, by outcome: served, or an error's code",
    "outcome",
  );
  readonly #seconds = this.seconds(
    "stepwise_user_request_seconds",
    "From a user's request to the image",
  );
  readonly #scores = this.counter(
    "stepwise_checks_total",
    "Images that were checked, by verdict",
    "verdict",
  );

  /** @param block of the weights that were set last; undefined before there are any. */
  constructor({ miners, drifting = () => 0, block }: {
    readonly miners: () => number;
    readonly drifting?: () => number;
    readonly block: () => number | undefined;
  }) {
    super();
    this.gauge("stepwise_miners", "Neurons that serve an axon", miners);
    this.gauge(
      "stepwise_miners_drifting",
      "Miners whose checks together are further off than honest ones",
      drifting,
    );
    this.gauge("stepwise_weights_block", "Of the weights that were set last", () => block() ?? 0);
  }

  requested(outcome: string, seconds: number): void {
    this.#requests.inc({ outcome });
    if (outcome === "served") this.#seconds.observe(seconds);
  }

  scored(verdict: string): void {
    this.#scores.inc({ verdict });
  }
}
