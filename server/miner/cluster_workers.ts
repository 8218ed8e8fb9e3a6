import type { Hotkey } from "../../core/keys/mod.ts";
import type { MinerInfo } from "../../core/protocol/mod.ts";
import { AppError } from "../../core/error.ts";
import type { Cluster } from "../cluster/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import {
  decodeHello,
  type Hello,
  HELLO_MS,
  kindsOf,
  SUBJECTS,
  type Versions,
} from "./cluster_messages.ts";
import { modelsLeft } from "./cluster_worker.ts";

interface Known {
  readonly hello: Hello;
  /** Milliseconds of the clock. */
  readonly heard: number;
}

type Model = MinerInfo["models"][number];

/** Signs of life that may be missed. */
const MISSED = 3;

/** Knows the workers of a hotkey by what they say of themselves. */
export class ClusterWorkers implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #hotkey: Hotkey;
  readonly #log: Log;
  readonly #known = new Map<string, Known>();
  readonly #stack = new AsyncDisposableStack();
  #heard = Promise.withResolvers<void>();
  #waiting = 0;

  /** Called when there may be more room than before. */
  onRoom = (): void => {};

  private constructor(cluster: Cluster, hotkey: Hotkey, log: Log) {
    this.#cluster = cluster;
    this.#hotkey = hotkey;
    this.#log = log;
  }

  static async open(cluster: Cluster, hotkey: Hotkey, log: Log): Promise<ClusterWorkers> {
    const workers = new ClusterWorkers(cluster, hotkey, log);
    const hear = await cluster.bus.listen(SUBJECTS.hello(hotkey), (body) => workers.#hear(body));
    workers.#stack.use(hear);
    cluster.bus.publish(SUBJECTS.who(hotkey), new Uint8Array());
    return workers;
  }

  /** Those that take jobs. */
  get live(): readonly Hello[] {
    const now = performance.now();
    for (const [id, { hello, heard }] of this.#known) {
      if (now - heard <= MISSED * HELLO_MS) continue;
      this.#known.delete(id);
      this.#log("worker_lost", { id, host: hello.host }, "warn");
    }
    return [...this.#known.values()].map(({ hello }) => hello);
  }

  /**
   * In which a job is asked for: the highest that all workers speak, or, where there is none, that most
   * of them do; the lowest while nobody is there.
   * @returns undefined where they all speak others.
   */
  version({ from, to }: Versions): number | undefined {
    const live = this.live;
    if (live.length === 0) return from;
    const speakers = (version: number) =>
      live.filter(({ speaks }) => speaks.from <= version && version <= speaks.to).length;
    let best = from;
    for (let version = from; version <= to; version++) {
      if (speakers(version) >= speakers(best)) best = version;
    }
    return speakers(best) > 0 ? best : undefined;
  }

  /** Jobs of the model that wait in the cluster, as of the last look. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * The one model that an axon offers.
   * @param named its id, where workers have several.
   * @throws AppError `host_unavailable` where no worker ever was, or they have others.
   */
  async model(named: string | undefined, waitMs: number, speaks: Versions): Promise<Model> {
    const timer = setTimeout(this.#heard.resolve, waitMs);
    await this.#heard.promise;
    clearTimeout(timer);
    const left = this.live.length > 0 ? undefined : await modelsLeft(this.#cluster, this.#hotkey);
    const models = new Map(
      [...this.live, ...left ? [left] : []].flatMap(({ info }) => info.models)
        .map((model) => [model.manifest, model]),
    );
    const all = [...models.values()];
    const wanted = all.length === 1 ? all[0] : all.find(({ id }) => id === named);
    if (!wanted) throw noModel(all.map(({ id }) => id), named);
    this.#count(kindsOf(this.#hotkey, wanted.manifest, speaks));
    return wanted;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  #hear(body: Uint8Array): void {
    const hello = decodeHello(body);
    const { id, host, leaving } = hello;
    const known = this.#known.has(id);
    if (leaving) this.#known.delete(id);
    else this.#known.set(id, { hello, heard: performance.now() });
    if (known === leaving) this.#log(leaving ? "worker_left" : "worker_joined", { id, host });
    if (!leaving) this.#heard.resolve();
    if (!leaving) this.onRoom();
  }

  #count(kinds: readonly string[]): void {
    const look = async () => {
      const counts = await Promise.all(kinds.map((kind) => this.#cluster.work.counts(kind)));
      this.#waiting = counts.reduce((sum, { waiting }) => sum + waiting, 0);
    };
    const timer = setInterval(() => void look().catch(() => {}), HELLO_MS);
    this.#stack.defer(() => clearInterval(timer));
  }
}

function noModel(ids: readonly string[], named: string | undefined): AppError {
  const why = ids.length === 0
    ? "no worker of this hotkey has joined it; start one with deno task worker --cluster"
    : `its workers have ${ids.join(", ")}, and --model is ${named}; name one of them`;
  return new AppError("host_unavailable", `Cannot use the cluster: ${why}`);
}
