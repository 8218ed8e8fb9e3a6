import { expect, test } from "vitest";
import { AppError, type ErrorCode } from "../../../core/error.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { type ImageEngine, notifyOnce, RecoveringEngine } from "../../../core/generation/mod.ts";
import type { Leaf } from "../../../core/denoise/mod.ts";

const defaults = { width: 64, height: 64, steps: 1, guidanceScale: 1 };
const request = decodeRequest({}, { ...defaults, seed: 0n });

/** Engines that fail with the codes in turn, and then make nothing of the request. */
function failing(...codes: readonly ErrorCode[]) {
  const left = [...codes];
  const log: string[] = [];
  const open = (): Promise<ImageEngine> => {
    log.push("open");
    return Promise.resolve({
      model: "m",
      compute: "c",
      backend: { host: "cpu", adapter: "cpu" },
      defaults,
      generate: (request) => {
        log.push("generate");
        const code = left.shift();
        if (code) return Promise.reject(new AppError(code, "Cannot: it failed"));
        return Promise.resolve({ request } as Awaited<ReturnType<ImageEngine["generate"]>>);
      },
      predict: () => Promise.reject(new Error("not asked for")),
      decode: () => Promise.reject(new Error("not asked for")),
      encode: () => Promise.reject(new Error("unused")),
      [Symbol.asyncDispose]: () => {
        log.push("dispose");
        return Promise.resolve();
      },
    });
  };
  return { open, log };
}

test("a job that fails with its device is run once more on a fresh one", async () => {
  const { open, log } = failing("device_lost");
  const engine = await RecoveringEngine.start(open);
  expect(await engine.generate(request)).toEqual({ request });
  expect(log).toEqual(["open", "generate", "dispose", "open", "generate"]);
});

test("a second failure is the caller's, and the next job works", async () => {
  const { open } = failing("device_lost", "gpu_failed");
  const engine = await RecoveringEngine.start(open);
  await expect(engine.generate(request)).rejects.toMatchObject({ code: "gpu_failed" });
  expect(await engine.generate(request)).toEqual({ request });
});

test("what is not the device's fault is not tried again", async () => {
  const { open, log } = failing("unsupported_setting");
  const engine = await RecoveringEngine.start(open);
  await expect(engine.generate(request)).rejects.toMatchObject({ code: "unsupported_setting" });
  expect(log).toEqual(["open", "generate"]);
});

test("jobs that fail together share one fresh device", async () => {
  const { open, log } = failing("device_lost", "device_lost");
  const engine = await RecoveringEngine.start(open);
  await Promise.all([engine.generate(request), engine.generate(request)]);
  expect(log.filter((entry) => entry === "open")).toHaveLength(2);
});

test("a cancelled job is not tried again", async () => {
  const { open, log } = failing("device_lost");
  const engine = await RecoveringEngine.start(open);
  const controller = new AbortController();
  const run = engine.generate(request, { signal: controller.signal });
  controller.abort();
  await expect(run).rejects.toMatchObject({ code: "cancelled" });
  expect(log).toEqual(["open", "generate"]);
});

test("each leaf is emitted once, and a repeated one must be the same", () => {
  const leaf = (index: number, ...bits: number[]): Leaf => ({
    kind: "x",
    index,
    bits: Uint16Array.from(bits),
  });
  const emitted: number[] = [];
  const optionsOfRun = notifyOnce({ onLeaf: ({ index }) => emitted.push(index) });
  const first = optionsOfRun();
  first.onLeaf?.(leaf(0, 1, 2));
  first.onLeaf?.(leaf(1, 3));
  const second = optionsOfRun();
  for (const again of [leaf(0, 1, 2), leaf(1, 3), leaf(2, 4)]) second.onLeaf?.(again);
  expect(emitted).toEqual([0, 1, 2]);
  expect(() => optionsOfRun().onLeaf?.(leaf(0, 1, 9))).toThrow(/Cannot repeat the run: x0 is not/);
});
