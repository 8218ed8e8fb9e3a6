import { afterAll, expect, test } from "vitest";
import { BufferPool, STORAGE_USAGE } from "../../../core/gpu/mod.ts";
import { ownGpu } from "../../fixtures/own_gpu.ts";
import { rejection } from "../../fixtures/rejection.ts";

const gpu = await ownGpu();
afterAll(() => gpu[Symbol.dispose]());

test("BufferPool accounts for what is lent, what is held and the peak", () => {
  using pool = new BufferPool(gpu.device);
  const a = pool.take(1000, "a");
  const b = pool.take(256, "b");
  expect(pool.memory).toEqual({ inUse: 1280, held: 1280, peak: 1280 });
  a[Symbol.dispose]();
  expect(pool.memory).toEqual({ inUse: 256, held: 1280, peak: 1280 });
  pool.trim();
  expect(pool.memory).toEqual({ inUse: 256, held: 256, peak: 1280 });
  b[Symbol.dispose]();
});

test("BufferPool lends a buffer again, to one borrower at a time", () => {
  using pool = new BufferPool(gpu.device);
  const a = pool.take(1000, "a");
  const other = pool.take(1000, "other").buffer;
  a[Symbol.dispose]();
  a[Symbol.dispose]();
  expect(pool.take(900, "again").buffer).toBe(a.buffer);
  expect([a.buffer, other]).not.toContain(pool.take(900, "new").buffer);
});

test("BufferPool keeps idle buffers up to a limit, those given back last", () => {
  using pool = new BufferPool(gpu.device, 1024);
  const taken = [256, 512, 768].map((bytes) => pool.take(bytes, "any"));
  expect(pool.memory).toEqual({ inUse: 1536, held: 1536, peak: 1536 });
  for (const buffer of taken) buffer[Symbol.dispose]();
  // 256 + 512 + 768 are more than 1024, and so are 512 + 768.
  expect(pool.memory).toEqual({ inUse: 0, held: 768, peak: 1536 });
  expect(pool.take(768, "again").buffer).toBe(taken[2].buffer);
  expect(pool.take(512, "again").buffer).not.toBe(taken[1].buffer);
});

test("BufferPool frees a buffer larger than its limit as soon as it is back", () => {
  using pool = new BufferPool(gpu.device, 1024);
  const small = pool.take(256, "small");
  pool.take(2048, "large")[Symbol.dispose]();
  expect(pool.memory).toEqual({ inUse: 256, held: 256, peak: 2304 });
  small[Symbol.dispose]();
  expect(pool.memory).toEqual({ inUse: 0, held: 256, peak: 2304 });
});

test("BufferPool lends nothing again that was out when the device failed", () => {
  using pool = new BufferPool(gpu.device);
  const out = pool.take(256, "out");
  pool.take(512, "idle")[Symbol.dispose]();
  pool.retire();
  expect(pool.memory).toEqual({ inUse: 256, held: 256, peak: 768 });
  out[Symbol.dispose]();
  expect(pool.memory).toEqual({ inUse: 0, held: 0, peak: 768 });
  expect(pool.take(256, "again").buffer).not.toBe(out.buffer);
});

test("BufferPool refuses a buffer that the device does not allow", async () => {
  const pool = new BufferPool(gpu.device);
  const error = await rejection(Promise.resolve().then(() => pool.take(2 ** 50, "weights")));
  expect(error).toMatchObject({ code: "gpu_failed" });
  expect(error.message).toMatch(/^Cannot allocate weights: it is \d+ bytes, and .+ allows \d+$/);
});

test("read-backs of several submissions come back in any order, and give their buffers back", async () => {
  const inUse = gpu.buffers.memory.inUse;
  using source = gpu.buffers.take(16, "source", STORAGE_USAGE);
  const readbacks = [1, 2, 3].map((value) => {
    gpu.device.queue.writeBuffer(source.buffer, 0, Uint32Array.of(value, 0, 0, 0));
    const encoder = gpu.device.createCommandEncoder();
    const readback = gpu.staging.copy(encoder, source.buffer, 16);
    gpu.device.queue.submit([encoder.finish()]);
    return readback;
  });
  const bytes = await Promise.all(readbacks.toReversed().map((readback) => readback.read()));
  expect(bytes.map((read) => read[0])).toEqual([3, 2, 1]);
  expect(gpu.buffers.memory.inUse).toBe(inUse + 256);
});

test("StagingPool refuses to read past the end", () => {
  using source = gpu.buffers.take(16, "source");
  const encoder = gpu.device.createCommandEncoder();
  expect(() => gpu.staging.copy(encoder, source.buffer, 1024)).toThrow(
    "Cannot read back source: it is 256 bytes, not 1024",
  );
});
