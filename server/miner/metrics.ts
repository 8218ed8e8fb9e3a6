import { Metrics } from "../neuron/mod.ts";
import type { ImageSource } from "./image_source.ts";

/** What a miner exposes to Prometheus. */
export class MinerMetrics extends Metrics {
  readonly #generations = this.counter(
    "stepwise_generations_total",
    "Requests for images, by outcome: done, or an error's code",
    "outcome",
  );
  readonly #images = this.counter("stepwise_images_total", "Images made");
  readonly #seconds = this.seconds(
    "stepwise_generation_seconds",
    "From a request to its answer, the wait in the queue included",
  );
  readonly #openings = this.counter(
    "stepwise_openings_total",
    "Steps that were asked for, by outcome: opened, or an error's code",
    "outcome",
  );

  constructor(source: Pick<ImageSource, "capacity" | "generators" | "workers">) {
    super();
    const gauge = (name: string, help: string, of: "queued" | "running" | "queueLimit") =>
      this.gauge(name, help, () => source.capacity()[of]);
    gauge("stepwise_queued", "Requests that wait", "queued");
    gauge("stepwise_running", "Requests that run", "running");
    gauge("stepwise_queue_limit", "Requests that may wait", "queueLimit");
    if (source.workers) {
      this.gauge(
        "stepwise_workers",
        "Workers that are in the cluster",
        () => source.workers?.() ?? 0,
      );
    }
    if (!source.generators) return;
    this.gauges(
      "stepwise_generator_up",
      "1 for an image generator that answers, 0 for one that does not",
      "url",
      () => source.generators?.().map(({ url, up }) => [url, up ? 1 : 0] as const) ?? [],
    );
  }

  generated(outcome: string, images: number, seconds: number): void {
    this.#generations.inc({ outcome });
    this.#images.inc(images);
    if (images > 0) this.#seconds.observe(seconds);
  }

  opened(outcome: string): void {
    this.#openings.inc({ outcome });
  }
}
