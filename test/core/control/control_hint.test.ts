import { afterAll, expect, test } from "vitest";
import { controlHint } from "../../../core/control/mod.ts";
import { ownGpu } from "../../fixtures/own_gpu.ts";

const gpu = await ownGpu();
afterAll(() => gpu[Symbol.dispose]());

const [width, height] = [32, 24];
/** A bright rectangle on a gradient. */
const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, k) => {
  const [x, y] = [(k >> 2) % width, Math.floor((k >> 2) / width)];
  return x > 8 && x < 20 && y > 6 && y < 18 ? 240 : (k & 3) * 20 + x;
});

test("a plain control image is its colours in 0..1, plane by plane", async () => {
  const hint = await controlHint({ width, height, data }, "none", undefined);
  expect(hint).toHaveLength(3 * width * height);
  for (const [channel, i] of [[0, 0], [1, 100], [2, 700]]) {
    expect(hint[channel * width * height + i]).toBe(Math.fround(data[4 * i + channel] / 255));
  }
});

test("edges are 0 or 1, on all three planes, and the same bits from CPU and GPU", async () => {
  const own = await controlHint({ width, height, data }, "canny", undefined);
  const plane = own.subarray(0, width * height);
  expect(new Set(plane)).toEqual(new Set([0, 1]));
  expect(own.subarray(width * height, 2 * width * height)).toEqual(plane);
  expect(await controlHint({ width, height, data }, "canny", gpu)).toEqual(own);
});
