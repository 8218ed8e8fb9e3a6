import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ImageSource } from "./image_source.ts";

/** What a miner tells Prometheus. */
export class MinerMetrics {
  readonly #registry = new Registry();
  readonly #generations: Counter<"outcome">;
  readonly #images: Counter;
  readonly #seconds: Histogram;
  readonly #openings: Counter<"outcome">;

  constructor(source: Pick<ImageSource, "capacity">) {
    const registers = [this.#registry];
    this.#generations = new Counter({
      name: "stepwise_generations_total",
      help: "Requests for images, by outcome: done, or an error's code",
      labelNames: ["outcome"],
      registers,
    });
    this.#images = new Counter({
      name: "stepwise_images_total",
      help: "Images made",
      registers,
    });
    this.#seconds = new Histogram({
      name: "stepwise_generation_seconds",
      help: "From a request to its answer, the wait in the queue included",
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
      registers,
    });
    this.#openings = new Counter({
      name: "stepwise_openings_total",
      help: "Steps that were asked for, by outcome: opened, or an error's code",
      labelNames: ["outcome"],
      registers,
    });
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(read());
        },
      });
    gauge("stepwise_queued", "Requests that wait", () => source.capacity().queued);
    gauge("stepwise_running", "Requests that run", () => source.capacity().running);
    gauge("stepwise_queue_limit", "Requests that may wait", () => source.capacity().queueLimit);
  }

  generated(outcome: string, images: number, seconds: number): void {
    this.#generations.inc({ outcome });
    this.#images.inc(images);
    if (images > 0) this.#seconds.observe(seconds);
  }

  opened(outcome: string): void {
    this.#openings.inc({ outcome });
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}
