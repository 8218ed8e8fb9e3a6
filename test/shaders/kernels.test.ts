import { afterAll, expect, test } from "vitest";
import { expectWithin } from "../fixtures/kernels/expect_within.ts";
import { kernelCases } from "../fixtures/kernels/mod.ts";
import { ownGpu } from "../fixtures/own_gpu.ts";

const gpu = await ownGpu();
afterAll(() => gpu[Symbol.dispose]());

test.each(kernelCases)("on Deno's adapter: $name", async (one) => {
  expectWithin(one, await one.measure(gpu));
});

test("no kernel case keeps a buffer", () => {
  expect(gpu.buffers.memory.inUse).toBe(0);
});
