import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What a neuron exposes to Prometheus: each has a registry of its own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #registers = [this.#registry];

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  protected counter<Label extends string>(
    name: string,
    help: string,
    ...labelNames: Label[]
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: this.#registers });
  }

  /** Seconds that something took. */
  protected seconds(name: string, help: string): Histogram {
    const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
    return new Histogram({ name, help, buckets, registers: this.#registers });
  }

  /** One for each value of a label. @param read called at every scrape. */
  protected gauges(
    name: string,
    help: string,
    label: string,
    read: () => readonly (readonly [label: string, value: number])[],
  ): void {
    new Gauge({
      ...{ name, help, labelNames: [label], registers: this.#registers },
      collect() {
        for (const [of, value] of read()) this.set({ [label]: of }, value);
      },
    });
  }

  /** @param read called at every scrape. */
  protected gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...{ name, help, registers: this.#registers },
      collect() {
        this.set(read());
      },
    });
  }
}
