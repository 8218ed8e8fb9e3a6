/** The thread of {@link ImageClassifier}: decodes a file, and says what the network sees in it. */
import { parentPort } from "node:worker_threads";
import { reason } from "../../core/error.ts";
import { decodeInputImage, resize, type RgbaImage } from "../../core/image/mod.ts";
import type { Session } from "../../core/inference/mod.ts";
import { cpuRuntime } from "../compute/mod.ts";
import { FolderFiles } from "../models/mod.ts";

/** The network's side, and its classes in their order. */
const SIDE = 224;
const NETWORK = "mobilenet_v2_mid.onnx";
export const CLASSES = ["drawing", "hentai", "neutral", "porn", "sexy"] as const;

/** What the process sends. */
export interface ClassOrder {
  /** Of the network: the same each time. */
  readonly folder: string;
  readonly file: Uint8Array<ArrayBuffer>;
}

/** What the thread sends for each file, before it gets the next. */
export type ClassAnswer = { readonly shares: readonly number[] } | { readonly problem: string };

let session: Promise<Session> | undefined;

parentPort?.on(
  "message",
  async ({ folder, file }: ClassOrder) => {
    const answer = await classify(folder, file).catch((error) => ({ problem: reason(error) }));
    parentPort?.postMessage(answer);
  },
);

async function classify(folder: string, file: Uint8Array<ArrayBuffer>): Promise<ClassAnswer> {
  session ??= open(folder);
  const { data } = resize(await decodeInputImage(file, "image"), { width: SIDE, height: SIDE });
  const input = { type: "float32" as const, dims: [1, SIDE, SIDE, 3], data: planesOf(data) };
  const { output } = await (await session).run({ input }, ["output"]);
  return { shares: [...output.data].map(Number) };
}

async function open(folder: string): Promise<Session> {
  const runtime = await cpuRuntime();
  const files = await FolderFiles.open({ name: folder, location: folder });
  return await runtime.open(files, { graph: NETWORK, external: [], largestTensor: 0 });
}

/** f32[height, width, 3] in [0, 1]; the network brings it to [-1, 1]. */
function planesOf(data: RgbaImage["data"]): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: data.length / 4 * 3 },
    (_, k) => data[4 * Math.floor(k / 3) + k % 3] / 255,
  );
}
