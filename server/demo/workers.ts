import { join } from "node:path";
import process from "node:process";
import { startNatsServer } from "../cluster/mod.ts";
import type { DemoProcess } from "./processes.ts";

/** Starts a command of Stepwise. */
type Start = (name: string, args: readonly string[]) => Promise<DemoProcess>;

interface WorkersOptions {
  readonly count: number;
  readonly main: string;
  /** Of the miner. */
  readonly hotkey: string;
  readonly folder: string;
  readonly start: Start;
  readonly stack: AsyncDisposableStack;
}

/** Workers of one miner, in a cluster of their own, of which one is killed. */
export class DemoWorkers {
  /** NATS, for the miner's axon. */
  readonly url: string;
  readonly #processes: readonly DemoProcess[];
  /** What the miner had done when it was killed. */
  #before: number | undefined;
  #after = 0;

  private constructor(url: string, processes: readonly DemoProcess[]) {
    this.url = url;
    this.#processes = processes;
  }

  /** @throws AppError `host_unavailable` without nats-server. */
  static async start(
    { count, main, hotkey, folder, start, stack }: WorkersOptions,
  ): Promise<DemoWorkers> {
    const { url } = stack.use(await startNatsServer(join(folder, "nats")));
    // When one fails, the others have to be there to be stopped.
    const starts = await Promise.allSettled(
      Array.from({ length: count }, (_, k) =>
        start(`worker ${k + 1}`, [
          ...[main, "worker", "--cluster", url, "--wallet.hotkey", hotkey, "--log", "json"],
          ...["--compute", "cpu", "--batch", "1", "--storage", join(folder, `worker-${k + 1}`)],
        ])),
    );
    const processes = starts.map((each) => {
      if (each.status === "rejected") throw each.reason;
      return each.value;
    });
    return new DemoWorkers(url, processes);
  }

  /** @param done images and checks of the miner so far: once there are some, a worker dies. */
  look(done: number): void {
    this.#after = done;
    if (this.#before !== undefined || done === 0) return;
    this.#before = done;
    process.kill(this.#processes[0].pid, "SIGKILL");
  }

  get claims(): readonly (readonly [claim: string, holds: boolean])[] {
    const [killed, ...others] = this.#processes;
    return [
      ["a worker was killed", this.#before !== undefined && !killed.running()],
      ["its miner went on with the others", this.#after > (this.#before ?? Infinity)],
      ["the other workers still run", others.every((each) => each.running())],
    ];
  }
}
