import { expect, test } from "vitest";
import type { Tolerance } from "../../../core/model/mod.ts";
import { thrownBy } from "../../fixtures/thrown.ts";
import { checkLine, checkSteps } from "../../../server/calibrate/held_out.ts";

const step = {
  scheduler: "ddim",
  run: 0,
  index: 0,
  steps: 1,
  noise: 1,
  precision: "float32" as const,
};
const tolerances: Tolerance[] = [
  { precision: "float32", points: [{ noise: 1, tolerance: 1e-3 }] },
  { precision: "float16", points: [{ noise: 1, tolerance: 1e-2 }] },
];
const half = { ...step, precision: "float16" as const };

test("checkSteps counts honest steps above the tolerance of their precision", () => {
  const checked = checkSteps(
    [
      { ...step, maker: "cpu", checker: "chrome", velocityError: 9e-4 },
      { ...step, maker: "cpu", checker: "chrome", velocityError: 2e-3 },
      { ...half, maker: "cpu", checker: "cpu:fp16", velocityError: 2e-3 },
      { ...step, maker: "cpu", checker: "native", velocityError: NaN },
      // An engine against itself shows nothing.
      { ...step, maker: "cpu", checker: "cpu", velocityError: 1 },
    ],
    tolerances,
  );
  const byPrecision = { float32: 3, float16: 1 };
  expect(checked).toMatchObject({ checks: 4, rejected: 2, byPrecision });
  expect(checkLine({ checks: 4, rejected: 0, worst: 0.25, byPrecision })).toBe(
    "0 of 4 honest step checks rejected (3 in float32, 1 with float16); " +
      "the largest error is 0.25 of its tolerance",
  );
});

test("checkSteps refuses to call nothing a success", () => {
  const alone = { ...step, maker: "cpu", checker: "cpu", velocityError: 0 };
  const apart = { ...half, maker: "cpu", checker: "cpu:fp16", velocityError: 0 };
  expect(thrownBy(() => checkSteps([alone], tolerances))).toMatchObject({
    message: "Cannot check tolerances: no step was made on one machine and checked on another",
  });
  expect(thrownBy(() => checkSteps([apart], tolerances.slice(0, 1)))).toMatchObject({
    message: "Cannot check tolerances: the catalogue has no tolerances for float16",
  });
});
