import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { adapterClass, compileKernel, openDevice } from "../../../core/gpu/mod.ts";
import { type Kernel, philoxNormal } from "../../../shaders/mod.ts";
import { ownAdapter, ownGpu } from "../../fixtures/own_gpu.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const broken: Kernel = { ...philoxNormal, name: "broken", code: "fn main() { let x: u32 = 1.5; }" };

test("openDevice gives a device with the adapter's limits and what it has of features", async () => {
  const adapter = await ownAdapter();
  using gpu = await openDevice(adapter);
  expect(gpu.device.limits.maxBufferSize).toBe(adapter.limits.maxBufferSize);
  expect(gpu.device.features.has("shader-f16")).toBe(adapter.features.has("shader-f16"));
});

test("Gpu.require says what was found, what is needed and what to do", async () => {
  using gpu = await ownGpu();
  const needs = {
    work: "a model",
    limits: { maxBufferSize: 2 ** 60 },
    advice: "Use --compute cpu",
  };
  const error = thrownBy(() => gpu.require(needs));
  expect(error).toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(
      /^Cannot run a model: .+ has maxBufferSize \d+, and \d+ is needed\. Use --compute cpu$/,
    ),
  });
});

test("Gpu.require names a feature that is missing", async () => {
  const adapter = await ownAdapter();
  const missing = (["texture-compression-astc", "texture-compression-etc2", "subgroups"] as const)
    .find((feature) => !adapter.features.has(feature));
  if (!missing) throw new Error("Cannot test: this adapter has every feature that was thought of");
  const needs = { work: "a model", features: [missing], advice: "Buy another" };
  using gpu = await openDevice(adapter);
  const error = thrownBy(() => gpu.require(needs));
  expect(error).toMatchObject({
    message: expect.stringMatching(new RegExp(`is without the feature ${missing}\\. Buy another$`)),
  });
});

test.each([
  ["llvmpipe (LLVM 15.0.6, 256 bits)", "", false, "lavapipe"],
  ["", "swiftshader", false, "swiftshader"],
  ["SwiftShader Device (LLVM 10.0.0)", "", true, "swiftshader"],
  ["some CPU", "", true, "lavapipe"],
  ["NVIDIA GeForce RTX 4090", "ada", false, "hardware"],
])(
  "adapterClass of %s %s comes from its name",
  (description, architecture, fallback, expected) => {
    const info = { description, architecture, vendor: "", device: "", isFallbackAdapter: fallback };
    expect(adapterClass({ info } as GPUAdapter)).toBe(expected);
  },
);

test("compileKernel throws the compiler's words", async () => {
  using gpu = await ownGpu();
  const error = await rejection(compileKernel(gpu, broken));
  expect(error).toMatchObject({ code: "gpu_failed" });
  expect(error.message).toMatch(/^Cannot compile broken on .+: [^]*u32/);
});

test("compileKernel compiles a kernel once for the same constants", async () => {
  using gpu = await ownGpu();
  const first = await compileKernel(gpu, philoxNormal);
  expect(await compileKernel(gpu, philoxNormal)).toBe(first);
  expect(await compileKernel(gpu, philoxNormal, { ROUND: 1 })).not.toBe(first);
});

test("a lost device is a promise, and an error of everything after", async () => {
  using gpu = await ownGpu();
  gpu.device.destroy();
  expect(await gpu.lost).toMatchObject({ code: "device_lost" });
  expect(await rejection(compileKernel(gpu, philoxNormal))).toMatchObject({ code: "device_lost" });
  const error = await rejection(gpu.guarded("run a step", () => 1));
  expect(error).toMatchObject({ code: "device_lost" });
});

test("orFailure gives the work's result or error, and the loss where there is one", async () => {
  using gpu = await ownGpu();
  expect(await gpu.orFailure(Promise.resolve(7))).toBe(7);
  expect((await rejection(gpu.orFailure(Promise.reject(new RangeError("mine"))))).message).toBe(
    "mine",
  );
  const forever = new Promise<never>(() => {});
  const waiting = rejection(gpu.orFailure(forever));
  const failed = rejection(gpu.orFailure(Promise.reject(new Error("in words of its own"))));
  gpu.device.destroy();
  for (const error of [await waiting, await failed, await rejection(gpu.orFailure(forever))]) {
    expect(error).toMatchObject({ code: "device_lost" });
  }
});

test("orFailure keeps no result: what work gave is collected while the device lives", async () => {
  using gpu = await ownGpu();
  const results = await Promise.all(Array.from({ length: 3 }, async () => {
    return new WeakRef(await gpu.orFailure(Promise.resolve(new Uint8Array(1000))));
  }));
  await collectGarbage();
  expect(results.map((result) => result.deref())).toEqual([undefined, undefined, undefined]);
});

test("orFailure learns of errors outside all scopes, and other work goes on", async () => {
  using gpu = await ownGpu();
  const failed = rejection(gpu.orFailure(new Promise<never>(() => {})));
  gpu.device.createBuffer({ size: 4, usage: 0xffff_0000 });
  expect(await failed).toMatchObject({
    code: "gpu_failed",
    message: expect.stringMatching(/^Cannot compute on .+: .*usage/i),
  });
  expect(await gpu.orFailure(Promise.resolve(7))).toBe(7);
});

async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  // A WeakRef holds what it refers to until the turn in which it was made is over.
  await new Promise((resolve) => setTimeout(resolve));
  collect();
}

test("guarded hands on what the work throws, and keeps the errors of callers apart", async () => {
  using gpu = await ownGpu();
  const bad = () => gpu.device.createBuffer({ size: 4, usage: 0xffff_0000 });
  const results = await Promise.allSettled([
    gpu.guarded("do this", () => 1),
    gpu.guarded("do that", bad),
    gpu.guarded("throw", () => {
      throw new RangeError("no");
    }),
    gpu.guarded("do more", () => 2),
  ]);
  expect(results.map(({ status }) => status))
    .toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
});
