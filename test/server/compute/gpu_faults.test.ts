import { expect, test } from "vitest";
import { decodeRequest } from "../../../core/request/mod.ts";
import { type ImageEngine, Pipeline } from "../../../core/generation/mod.ts";
import type { Gpu } from "../../../core/gpu/mod.ts";
import { observeRuntime, type Runtime } from "../../../core/inference/mod.ts";
import { nativeHost, nativeRuntime } from "../../../server/compute/mod.ts";
import { openTinySd } from "../../fixtures/open_tiny_sd.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";

function gpuOf({ gpu }: Runtime): Gpu {
  if (gpu) return gpu;
  throw new Error("Cannot test: this runtime has no GPU");
}

/** Has the device report, once, that it has no memory for the next buffer of this label. */
function failAllocation({ device }: Gpu, label: string): void {
  const [create, pop] = [device.createBuffer, device.popErrorScope.bind(device)];
  device.createBuffer = (descriptor) => {
    if (descriptor.label === label) {
      device.createBuffer = create;
      device.popErrorScope = async () => {
        device.popErrorScope = pop;
        await pop();
        return new GPUOutOfMemoryError("Not enough memory left.");
      };
    }
    return create.call(device, descriptor);
  };
}

/** A host whose first devices have a fault. */
async function faultyHost(faulty: number, fault: (runtime: Runtime) => Runtime) {
  const runtimes: Runtime[] = [];
  const host = await nativeHost("for a test", async () => {
    const runtime = await nativeRuntime();
    runtimes.push(runtime);
    return runtimes.length <= faulty ? fault(runtime) : runtime;
  });
  return { host, runtimes };
}

/** Its device runs out of memory at a buffer of this label. */
const scarceAt = (label: string) => (runtime: Runtime): Runtime => {
  failAllocation(gpuOf(runtime), label);
  return runtime;
};

/** Its device runs out of memory inside onnxruntime, which does not check. */
function scarceInside(runtime: Runtime): Runtime {
  const { device } = gpuOf(runtime);
  const error = new GPUOutOfMemoryError("Not enough memory left.");
  return observeRuntime(runtime, ({ graph }) => {
    if (!graph.startsWith("unet/")) return;
    device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
  });
}

async function leavesOf(engine: ImageEngine) {
  const leaves: string[] = [];
  const request = decodeRequest(
    { prompt: "tau", width: 64, height: 64, steps: 2, seed: 1 },
    { ...engine.defaults, seed: 0n },
  );
  await engine.generate(request, {
    onLeaf: ({ kind, index }) => leaves.push(`${kind}${index}`),
  });
  return leaves;
}

const LEAVES = ["x0", "d0", "x1", "d1", "x2"];

test.each(["latents", "conditioning", "x as float16 to host", "decoded planes"])(
  "a device out of memory for the %s is replaced, and its job done once more",
  async (label) => {
    const { host, runtimes } = await faultyHost(1, scarceAt(label));
    await using engine = await host.open(await openTinySd());
    expect(await leavesOf(engine)).toEqual(LEAVES);
    expect(runtimes).toHaveLength(2);
    expect(await leavesOf(engine)).toEqual(LEAVES);
    expect(runtimes).toHaveLength(2);
    await host[Symbol.asyncDispose]();
  },
);

test("out of memory twice is one clear error, and the next job works", async () => {
  const { host, runtimes } = await faultyHost(2, scarceAt("latents"));
  await using engine = await host.open(await openTinySd());
  await expect(leavesOf(engine)).rejects.toMatchObject({
    code: "gpu_failed",
    message: "Cannot prepare the steps: Not enough memory left.",
  });
  expect(await leavesOf(engine)).toEqual(LEAVES);
  expect(runtimes).toHaveLength(2);
  await host[Symbol.asyncDispose]();
});

test("a device out of memory inside onnxruntime is replaced as well, and twice is one error", async () => {
  const { host, runtimes } = await faultyHost(2, scarceInside);
  await using engine = await host.open(await openTinySd());
  await expect(leavesOf(engine)).rejects.toMatchObject({
    code: "gpu_failed",
    message: expect.stringMatching(/^Cannot compute on .+: Not enough memory left\.$/),
  });
  expect(await leavesOf(engine)).toEqual(LEAVES);
  expect(runtimes).toHaveLength(3);
  await host[Symbol.asyncDispose]();
});

test("a device out of memory while a model loads is reported, and what was loaded is freed", async () => {
  const runtime = await nativeRuntime();
  const gpu = gpuOf(runtime);
  const before = gpu.memory.held;
  const error = new GPUOutOfMemoryError("Not enough memory left.");
  const released = Promise.withResolvers<void>();
  const scarce: Runtime = {
    ...runtime,
    open: async (files, graph) => {
      const session = await runtime.open(files, graph);
      if (!graph.graph.startsWith("vae_decoder/")) return session;
      gpu.device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
      const release = () => session.release().then(released.resolve);
      return { ...session, inputs: session.inputs, outputs: session.outputs, release };
    },
  };
  const message = expect.stringMatching(/^Cannot compute on .+: Not enough memory left\.$/);
  await expect(Pipeline.open(await openTinySd(), scarce))
    .rejects.toMatchObject({ code: "gpu_failed", message });
  await released.promise;
  await expect.poll(() => gpu.memory.held, { timeout: PATIENCE_MS }).toBe(before);
});

test.each(["latents", "conditioning", "x as float16 to host", "decoded planes", "pixels to host"])(
  "a pipeline of its own goes on after it was out of memory for the %s, with every buffer back",
  async (label) => {
    const runtime = await nativeRuntime();
    const gpu = gpuOf(runtime);
    await using engine = await Pipeline.open(await openTinySd(), runtime);
    failAllocation(gpu, label);
    await expect(leavesOf(engine)).rejects.toMatchObject({ code: "gpu_failed" });
    // What was being read when it failed comes back when the device is done with it.
    await expect.poll(() => gpu.buffers.memory.inUse, { timeout: PATIENCE_MS }).toBe(0);
    expect(await leavesOf(engine)).toEqual(LEAVES);
  },
);

/** Has the device say that it allows less than it does. */
function limit({ device }: Gpu, limits: Readonly<Record<string, number>>): void {
  const value = new Proxy(device.limits, {
    get: (real, name) => limits[String(name)] ?? Reflect.get(real, name),
  });
  Object.defineProperty(device, "limits", { value });
}

test("a device too small for a model's largest weight is refused before anything is loaded", async () => {
  const runtime = await nativeRuntime();
  limit(gpuOf(runtime), { maxBufferSize: 1000 });
  const parts: string[] = [];
  const opening = Pipeline.open(await openTinySd(), runtime, {
    onPart: (part) => parts.push(part),
  });
  await expect(opening).rejects.toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(
      /^Cannot run \S*sd: .+ has maxBufferSize 1000, and \d+ is needed\. Use a smaller model, or compute on the CPU/,
    ),
  });
  expect(parts).toEqual([]);
});

test("a device too small for an image is refused with its size, and a smaller one is made", async () => {
  const runtime = await nativeRuntime();
  // This folder does not say how wide its decoder is: as Stable Diffusion's, 256 channels of float32.
  limit(gpuOf(runtime), { maxBufferSize: 64 * 64 * 256 * 4 });
  await using engine = await Pipeline.open(await openTinySd(), runtime);
  const request = decodeRequest(
    { prompt: "tau", width: 72, height: 64, steps: 2 },
    { ...engine.defaults, seed: 0n },
  );
  await expect(engine.generate(request)).rejects.toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(
      /^Cannot run \S*sd at 72x64: .+ has maxBufferSize 4194304, and 4718592 is needed\. Ask for a smaller image/,
    ),
  });
  expect(await leavesOf(engine)).toEqual(LEAVES);
});
