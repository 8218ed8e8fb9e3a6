import { expect, test } from "vitest";
import { workOf } from "../../../core/request/mod.ts";

const DEFAULTS = { width: 512, height: 512, steps: 20 };
const plain = { ...DEFAULTS, batch: 1 };
const control = (use: object = {}) => ({
  ...{ image: "0a".repeat(32), network: "embedded", preprocess: "none" as const },
  ...{ scale: 1, start: 0, end: 1, ...use },
});

test.each([
  ["the default request", plain, 1],
  ["four times the pixels", { ...plain, width: 1024, height: 1024 }, 4],
  ["two images", { ...plain, batch: 2 }, 2],
  // int(20 * 0.5) steps, and one for the encoder.
  ["from an image at half strength", { ...plain, image: "0a", strength: 0.5 }, 11 / 20],
  ["by a ControlNet", { ...plain, control: [control()] }, 1.5],
  ["by two, one of them for half of the run", {
    ...plain,
    control: [control(), control({ end: 0.5 })],
  }, 1.75],
])("%s", (_, request, work) => {
  expect(workOf(request, DEFAULTS)).toBeCloseTo(work, 12);
});
