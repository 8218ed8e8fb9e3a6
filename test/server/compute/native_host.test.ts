import { expect, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import type { GenerateOptions, ImageEngine } from "../../../core/generation/mod.ts";
import { observeRuntime, type Runtime } from "../../../core/inference/mod.ts";
import { nativeHost, nativeRuntime } from "../../../server/compute/mod.ts";
import { openTinySd } from "../../fixtures/open_tiny_sd.ts";

/**
 * A host whose devices the test can reach, newest last, and a model of random weights.
 * @param doomed how many devices, from the first on, are destroyed when the UNet has run once.
 */
async function openHost(doomed = 0) {
  const runtimes: Runtime[] = [];
  const host = await nativeHost("for a test", async () => {
    const runtime = await nativeRuntime();
    runtimes.push(runtime);
    if (runtimes.length > doomed) return runtime;
    return observeRuntime(runtime, ({ graph }) => {
      if (graph.startsWith("unet")) runtime.gpu?.device.destroy();
    });
  });
  const files = await openTinySd();
  const destroy = () => runtimes[runtimes.length - 1].gpu?.device.destroy();
  return { host, files, runtimes, destroy };
}

async function leavesOf(engine: ImageEngine, options: GenerateOptions = {}) {
  const leaves: number[][] = [];
  const request = decodeRequest(
    { prompt: "tau", width: 64, height: 64, steps: 5, seed: 1 },
    { ...engine.defaults, seed: 0n },
  );
  await engine.generate(request, { ...options, onLeaf: ({ bits }) => leaves.push([...bits]) });
  return leaves;
}

test("a device destroyed in the middle of a run is replaced, and the run repeated", async () => {
  const { host, files, runtimes, destroy } = await openHost();
  await using engine = await host.open(files);
  const undisturbed = await leavesOf(engine);
  const steps: number[] = [];
  const disturbed = await leavesOf(engine, {
    onStep: ({ index }) => {
      steps.push(index);
      if (index === 1 && runtimes.length === 1) destroy();
    },
  });
  expect(disturbed).toEqual(undisturbed);
  expect(steps).toEqual([0, 1, 2, 3, 4]);
  expect(runtimes).toHaveLength(2);
  expect(await leavesOf(engine)).toEqual(undisturbed);
  await host[Symbol.asyncDispose]();
});

test("a device lost twice is one clear error, and the next job works", async () => {
  const { host, files } = await openHost(2);
  await using engine = await host.open(files);
  await expect(leavesOf(engine)).rejects.toMatchObject({
    code: "device_lost",
    message: expect.stringMatching(/^Cannot compute on .*: its device is lost/),
  });
  expect(await leavesOf(engine)).toHaveLength(11);
  await host[Symbol.asyncDispose]();
});

test("a device that does not open again is one error, and the next job opens another", async () => {
  const runtimes: (Runtime | undefined)[] = [];
  const open = async () => {
    const runtime = runtimes.length === 1 ? undefined : await nativeRuntime();
    runtimes.push(runtime);
    if (runtime) return runtime;
    throw new AppError("host_unavailable", "Cannot compute natively: the driver is restarting");
  };
  const host = await nativeHost("for a test", open);
  await using engine = await host.open(await openTinySd());
  runtimes[0]?.gpu?.device.destroy();
  await expect(leavesOf(engine)).rejects.toMatchObject({ code: "host_unavailable" });
  expect(await leavesOf(engine)).toHaveLength(11);
  expect(runtimes).toHaveLength(3);
  await host[Symbol.asyncDispose]();
});

test("a host whose device did not open again can be disposed of", async () => {
  const first = await nativeRuntime();
  const devices = [Promise.resolve(first)];
  const unavailable = () =>
    Promise.reject(new AppError("host_unavailable", "Cannot open: it is gone"));
  const host = await nativeHost("for a test", () => devices.shift() ?? unavailable());
  const engine = await host.open(await openTinySd());
  first.gpu?.device.destroy();
  await expect(leavesOf(engine)).rejects.toMatchObject({ code: "host_unavailable" });
  await engine[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

test("buffers of a run are given back, and a model's with it", async () => {
  const { host, files, runtimes } = await openHost();
  const engine = await host.open(files);
  await leavesOf(engine);
  const { gpu } = runtimes[0];
  expect(gpu?.buffers.memory.inUse).toBe(0);
  const loaded = gpu?.memory.held ?? 0;
  await leavesOf(engine);
  expect(gpu?.memory.held).toBe(loaded);
  // The weights, which onnxruntime holds, and our pooled buffers.
  expect(loaded).toBeGreaterThan(100_000);
  await engine[Symbol.asyncDispose]();
  expect(gpu?.memory.held).toBe(gpu?.buffers.memory.held);
  await host[Symbol.asyncDispose]();
});
