import { MessageChannel } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { GenerateOptions, ImageEngine } from "../../../core/generation/mod.ts";
import { decodeImage, encodeImage } from "../../../core/image/mod.ts";
import type { ByteRange, ModelFiles } from "../../../core/model/mod.ts";
import { decodeRequest, type GenerationRequest } from "../../../core/request/mod.ts";
import { cpuRuntime, ThreadCodec } from "../../../server/compute/mod.ts";
import { localHost } from "../../../server/compute/host.ts";
import { serveFiles, ThreadFiles } from "../../../server/compute/thread_files.ts";
import { ThreadHost } from "../../../server/compute/thread_host.ts";
import { openTinySd } from "../../fixtures/open_tiny_sd.ts";

let host: ThreadHost;
beforeAll(async () => {
  host = await ThreadHost.start("cpu", "for a test");
});
afterAll(() => host[Symbol.asyncDispose]());

function requestFor(engine: ImageEngine, steps = 5): GenerationRequest {
  const input = { prompt: "tau", negativePrompt: "no", width: 64, height: 64, steps, seed: 1 };
  return decodeRequest(input, { ...engine.defaults, seed: 0n });
}

async function run(engine: ImageEngine, options: GenerateOptions = {}) {
  const leaves: Uint16Array[] = [];
  const generation = await engine.generate(requestFor(engine), {
    ...options,
    onLeaf: ({ bits }) => leaves.push(bits),
  });
  return { leaves, images: generation.images, plan: generation.plan };
}

test("a thread makes what this process makes: leaves, image, predictions, decoded image", async () => {
  const files = await openTinySd();
  await using there = await host.open(files);
  await using here = await localHost(await cpuRuntime(), "for a test").open(files);
  const [far, near] = [await run(there), await run(here)];
  expect(far).toEqual(near);
  const states = [0, 3].map((index) => ({ index, bits: near.leaves[2 * index] }));
  const request = requestFor(here);
  expect(await there.predict(request, states)).toEqual(await here.predict(request, states));
  const last = near.leaves[near.leaves.length - 1];
  expect(await there.decode(request, last)).toEqual(await here.decode(request, last));
});

test("a thread finds onnxruntime-web, which asks a page's address for its place", async () => {
  await using native = await ThreadHost.start("native", "for a test");
  await using engine = await native.open(await openTinySd());
  const { images } = await engine.generate(requestFor(engine, 1));
  expect([images[0].width, images[0].height]).toEqual([64, 64]);
});

test("files that are in no folder are read over the channel", async () => {
  const files = await openTinySd();
  const { name, location, paths } = files;
  const inMemory: ModelFiles = {
    ...{ name, location, paths },
    has: (path) => files.has(path),
    size: (path) => files.size(path),
    text: (path) => files.text(path),
    bytes: (path, range) => files.bytes(path, range),
  };
  await using engine = await host.open(inMemory);
  await using own = await host.open(files);
  expect(await run(engine)).toEqual(await run(own));
});

test("a file that is larger than a port takes is read in pieces", async () => {
  const { port1, port2 } = new MessageChannel();
  const content = Uint8Array.from({ length: 2500 }, (_, i) => i % 251);
  const asked: unknown[] = [];
  const files = {
    bytes: (_: string, range: ByteRange = { start: 0, end: content.length }) => {
      asked.push(range);
      return Promise.resolve(content.slice(range.start, range.end));
    },
  };
  serveFiles(files as ModelFiles, port1);
  const sizes = { "unet/model.onnx_data": content.length };
  const description = { name: "tiny", location: "there", url: "thread:1", sizes };
  const thread = new ThreadFiles(description, { port: port2, local: new Map() }, 1000);
  expect(await thread.bytes("unet/model.onnx_data")).toEqual(content);
  expect(asked).toEqual([
    { start: 0, end: 1000 },
    { start: 1000, end: 2000 },
    { start: 2000, end: 2500 },
  ]);
  const range = { start: 700, end: 1900 };
  expect(await thread.bytes("unet/model.onnx_data", range)).toEqual(content.slice(700, 1900));
  port1.close();
});

test("a file that cannot be read is named by the thread as here", async () => {
  const files = await openTinySd();
  const broken: ModelFiles = {
    ...{ name: files.name, location: files.location, paths: files.paths },
    has: (path) => files.has(path),
    size: (path) => files.size(path),
    text: (path) => files.text(path),
    bytes: () => Promise.reject(new RangeError("the disk is on fire")),
  };
  await expect(host.open(broken)).rejects.toMatchObject({
    code: "storage_failed",
    message: expect.stringContaining("the disk is on fire"),
  });
});

test("a thread that ends in the middle of a run is replaced, and the run repeated", async () => {
  const files = await openTinySd();
  await using engine = await host.open(files);
  const undisturbed = await run(engine);
  const thread = await host.session();
  const disturbed = await run(engine, {
    onStep: ({ index }) => void (index === 1 && thread[Symbol.asyncDispose]()),
  });
  expect(disturbed).toEqual(undisturbed);
  expect(await host.session()).not.toBe(thread);
});

test("a run is cancelled between two steps, and the engine works on", async () => {
  const files = await openTinySd();
  await using engine = await host.open(files);
  const controller = new AbortController();
  const cancelled = engine.generate(requestFor(engine, 500), {
    signal: controller.signal,
    onStep: () => controller.abort(),
  });
  await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
  expect((await run(engine)).images).toHaveLength(1);
});

test("ThreadCodec encodes and decodes as this thread does, and goes on after a bad file", async () => {
  await using codec = new ThreadCodec();
  const data = Uint8ClampedArray.from({ length: 4 * 16 * 16 }, (_, i) => i % 4 === 3 ? 255 : i);
  const image = { width: 16, height: 16, data };
  for (const format of ["png", "jpeg", "webp"] as const) {
    const file = await codec.encode(image, format, 90);
    expect(file).toEqual(await encodeImage(image, format, 90));
    await expect(codec.decode(file.slice(0, 40), format, image)).rejects.toMatchObject({
      code: "encoding_failed",
    });
    expect(await codec.decode(file, format, image)).toEqual(
      await decodeImage(file, format, image),
    );
  }
});

test("ThreadCodec reads a good file after 1,000 that its decoder cannot read", async () => {
  await using codec = new ThreadCodec();
  const image = { width: 16, height: 16, data: new Uint8ClampedArray(4 * 16 * 16).fill(255) };
  const file = await codec.encode(image, "png");
  const bad = file.slice();
  // The length of its pixels' chunk.
  bad[33] ^= 255;
  for (let k = 0; k < 1000; k++) {
    await expect(codec.decodeInput(bad, "image")).rejects.toMatchObject({
      code: "invalid_request",
    });
  }
  expect(await codec.decodeInput(file, "image")).toEqual(image);
});

test("a closed ThreadCodec fails what it was given", async () => {
  const codec = new ThreadCodec();
  const image = { width: 2048, height: 2048, data: new Uint8ClampedArray(4 * 2048 * 2048) };
  const encoding = codec.encode(image, "png");
  await codec[Symbol.asyncDispose]();
  await expect(encoding).rejects.toMatchObject({ code: "encoding_failed" });
});

describe("one file that goes wrong fails alone", () => {
  const thread = new URL("../../fixtures/faulty_codec_thread.ts", import.meta.url);
  const of = (width: number) => ({ width, height: 1, data: new Uint8ClampedArray(4 * width) });
  const encodeAll = (codec: ThreadCodec, widths: readonly number[]) =>
    Promise.allSettled(widths.map((width) => codec.encode(of(width), "png")));
  const bytes = (width: number) => ({ status: "fulfilled", value: Uint8Array.of(width) });
  const refused = (why: RegExp) => ({
    status: "rejected",
    reason: expect.objectContaining({
      code: "encoding_failed",
      message: expect.stringMatching(why),
    }),
  });

  test("as one that never ends", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    await using codec = new ThreadCodec(thread);
    const first = codec.encode(of(3), "png");
    const all = encodeAll(codec, [1, 4]);
    expect(await first).toEqual(Uint8Array.of(3));
    await new Promise(setImmediate);
    vi.advanceTimersByTime(60_000);
    expect(await all).toEqual([refused(/took more than 60 s/), bytes(4)]);
  });

  test("as one that ends its thread, which gets a second chance", async () => {
    await using codec = new ThreadCodec(thread);
    expect(await encodeAll(codec, [3, 2, 4])).toEqual([bytes(3), refused(/code 7/), bytes(4)]);
  });
});
