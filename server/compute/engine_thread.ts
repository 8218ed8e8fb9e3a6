/**
 * The thread in which a host computes, so that nothing that answers the network waits for it. It
 * opens its host, says hello, and carries out what the process orders.
 */
import { parentPort, workerData } from "node:worker_threads";
import { concatBytes } from "@noble/hashes/utils.js";
import { AppError, reason } from "../../core/error.ts";
import {
  decodeEngineOrder,
  type EngineAnswer,
  EngineServer,
  type ModelDescription,
} from "../../core/remote/mod.ts";
import { cpuRuntime } from "./cpu.ts";
import { type ComputeHost, localHost } from "./host.ts";
import { listeningRuntime } from "./listening_runtime.ts";
import { nativeHost, nativeRuntime } from "./native.ts";
import { type FilePlaces, ThreadFiles } from "./thread_files.ts";

/** What the process sends: an order, and with `open` where the model's files are read. */
export interface ToThread {
  readonly order: unknown;
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly files?: FilePlaces;
}

/** What the thread sends. */
export interface FromThread {
  readonly answer: EngineAnswer;
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Of a hello with a problem that has one. */
  readonly code?: AppError["code"];
}

/** Which host the thread opens. */
export type ThreadKind = "cpu" | "native";

/** What the thread is started with. */
export interface ThreadChoice {
  readonly kind: ThreadKind;
  /** Of `--gpu`, for `native`. */
  readonly gpu?: string;
}

async function openHost({ kind, gpu }: ThreadChoice): Promise<ComputeHost> {
  if (kind === "cpu") return localHost(listeningRuntime(await cpuRuntime()), kind);
  return await nativeHost(kind, async () => listeningRuntime(await nativeRuntime(gpu)));
}

function post(message: FromThread): void {
  parentPort?.postMessage(message, [message.payload.buffer]);
}

function send(answer: EngineAnswer, ...parts: readonly ArrayBufferView[]): void {
  const views = parts.map(({ buffer, byteOffset, byteLength }) =>
    new Uint8Array(buffer, byteOffset, byteLength)
  );
  post({ answer, payload: concatBytes(...views) });
}

try {
  const host = await openHost(workerData as ThreadChoice);
  const places = new Map<string, FilePlaces>();
  const engines = new EngineServer(
    (model, options) => host.open(filesOf(model, places), options),
    send,
  );
  parentPort?.on("message", ({ order, payload, files }: ToThread) => {
    const decoded = decodeEngineOrder(order);
    if (decoded.type === "open" && files) places.set(decoded.model.url, files);
    void engines.take(decoded, payload);
  });
  send({ type: "hello", device: { name: host.name, software: false } });
} catch (error) {
  const code = error instanceof AppError ? error.code : undefined;
  const answer = { type: "hello" as const, problem: reason(error) };
  post({ answer, payload: new Uint8Array(), code });
}

function filesOf(
  model: ModelDescription,
  places: ReadonlyMap<string, FilePlaces>,
): ThreadFiles {
  const place = places.get(model.url);
  if (place) return new ThreadFiles(model, place);
  throw new AppError("model_invalid", `Cannot open ${model.name}: its files were not sent`);
}
