import { MessageChannel, Worker } from "node:worker_threads";
import { concatBytes } from "@noble/hashes/utils.js";
import { AppError, reason } from "../../core/error.ts";
import { type ImageEngine, RecoveringEngine } from "../../core/generation/mod.ts";
import type { LoadOptions } from "../../core/inference/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import {
  describeFiles,
  EngineCalls,
  type EngineChannel,
  type EngineOrder,
  RemoteEngine,
  RenewedChannel,
  type ServedModel,
} from "../../core/remote/mod.ts";
import type { FromThread, ThreadChoice, ThreadKind, ToThread } from "./engine_thread.ts";
import type { ComputeHost } from "./host.ts";
import { disableOrtTelemetry } from "./ort_telemetry.ts";
import { type FilePlaces, localPlaces, serveFiles } from "./thread_files.ts";

/**
 * A host in a thread of its own: onnxruntime blocks the thread that it runs in, for seconds at a
 * large image, and what answers the network must not wait for it.
 */
export class ThreadHost implements ComputeHost {
  readonly name: string;
  readonly reason: string;
  readonly #sessions: RenewedChannel<ThreadSession>;

  private constructor(choice: ThreadChoice, reason: string, session: ThreadSession) {
    this.name = session.name;
    this.reason = reason;
    this.#sessions = new RenewedChannel(session, () => ThreadSession.start(choice));
  }

  /** @throws AppError `host_unavailable` saying what is missing. */
  static async start(kind: ThreadKind, reason: string, gpu?: string): Promise<ThreadHost> {
    const choice = { kind, gpu };
    return new ThreadHost(choice, reason, await ThreadSession.start(choice));
  }

  /** What a fresh device cures, the thread cures by itself; a thread that ended is replaced. */
  async open(files: ModelFiles, options: LoadOptions = {}): Promise<ImageEngine> {
    return await RecoveringEngine.start(async () => {
      const session = await this.session();
      return await RemoteEngine.open(session, session.serve(files), options);
    }, ["host_failed"]);
  }

  /** The thread that is running, or a fresh one. */
  session(): Promise<EngineChannel & AsyncDisposable & Pick<ThreadSession, "serve">> {
    return this.#sessions.get();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }
}

/** One thread with a host in it. It is never repaired: when it ends, start another. */
class ThreadSession implements EngineChannel, AsyncDisposable {
  readonly discrediting = [];
  readonly name: string;
  readonly #worker: Worker;
  /** Where the thread reads the models that it was not asked to open yet. */
  readonly #places = new Map<string, FilePlaces>();
  readonly #calls = new EngineCalls((order, payload) => this.#send(order, payload), ended);
  #models = 0;

  private constructor(worker: Worker, name: string) {
    this.#worker = worker;
    this.name = name;
    worker.on("message", ({ answer, payload }: FromThread) => this.#calls.take(answer, payload));
    worker.on("error", (error) => this.fail(ended(reason(error))));
    worker.on("exit", (code) => this.fail(ended(`it ended with code ${code}`)));
  }

  static async start(choice: ThreadChoice): Promise<ThreadSession> {
    disableOrtTelemetry();
    const worker = new Worker(new URL("./engine_thread.ts", import.meta.url), {
      workerData: choice,
    });
    try {
      const { answer, code } = await hello(worker);
      if (answer.type === "hello" && answer.device) {
        return new ThreadSession(worker, answer.device.name);
      }
      const problem = answer.type === "hello" ? answer.problem : undefined;
      const message = problem ?? "Cannot compute: no host opened";
      throw code ? new AppError(code, message) : new Error(message);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  get alive(): boolean {
    return !this.#calls.failed;
  }

  readonly call: EngineChannel["call"] = (order, options) => this.#calls.call(order, options);
  readonly fail: EngineChannel["fail"] = (why) => this.#calls.fail(why);

  /** Reads a model's files for the thread until disposed. */
  serve(files: ModelFiles): ServedModel {
    const url = `thread:${++this.#models}`;
    const { port1, port2 } = new MessageChannel();
    serveFiles(files, port1);
    this.#places.set(url, { port: port2, local: localPlaces(files) });
    return {
      model: describeFiles(files, url),
      [Symbol.dispose]: () => port1.close(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.fail(ended("the host was closed"));
    await this.#worker.terminate();
  }

  #send(order: EngineOrder, payload: readonly ArrayBufferView[] = []): void {
    const views = payload.map(({ buffer, byteOffset, byteLength }) =>
      new Uint8Array(buffer, byteOffset, byteLength)
    );
    const files = order.type === "open" ? this.#places.get(order.model.url) : undefined;
    if (order.type === "open") this.#places.delete(order.model.url);
    const message: ToThread = { order, payload: concatBytes(...views), files };
    this.#worker.postMessage(message, files ? [files.port] : []);
  }
}

function ended(why: string): AppError {
  return new AppError("host_failed", `Cannot compute in the engine's thread: ${why}`);
}

/** The thread's first message. */
function hello(worker: Worker): Promise<FromThread> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", (error) => reject(ended(reason(error))));
    worker.once("exit", (code) => reject(ended(`it ended with code ${code}`)));
  });
}
