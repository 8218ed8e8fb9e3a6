import type { Clock } from "../../validator/mod.ts";
import { onAbort } from "./on_abort.ts";

interface Job {
  /** In images of the model's default. */
  readonly work: number;
  /** Made only while no other waits. */
  readonly spare: boolean;
  /** Nobody waits for it any more. */
  over: boolean;
  end: (made: boolean) => void;
}

/** Makes images one after the other, whichever hotkey they are for; spare ones last. */
export class Machine {
  readonly #clock: Clock;
  readonly #rate: number;
  readonly #jobs: Job[] = [];
  #works = false;

  /** @param rate images of the model's default a second. */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Jobs that wait or run. */
  get open(): number {
    return this.#jobs.length;
  }

  /** @returns whether it was made: false where it was called off. */
  run(work: number, signal: AbortSignal, spare = false): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const job: Job = { work, spare, over: signal.aborted, end: resolve };
    const off = onAbort(signal, () => {
      job.over = true;
      resolve(false);
    });
    job.end = (made) => (off(), resolve(made));
    this.#jobs.push(job);
    if (!this.#works) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#works = true;
    for (let job = this.#next(); job; job = this.#next()) {
      if (!job.over) await this.#clock.sleep(1000 * job.work / this.#rate);
      this.#jobs.splice(this.#jobs.indexOf(job), 1);
      job.end(!job.over);
    }
    this.#works = false;
  }

  #next(): Job | undefined {
    return this.#jobs.find(({ spare }) => !spare) ?? this.#jobs[0];
  }
}
