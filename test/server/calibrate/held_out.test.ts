import { expect, test } from "vitest";
import { checkLine, checkSteps } from "../../../server/calibrate/held_out.ts";

const step = { run: 0, index: 0, steps: 1, noise: 1 };
const tolerances = [
  { precision: "float32", points: [{ noise: 1, tolerance: 1e-3 }] },
  { precision: "float16", points: [{ noise: 1, tolerance: 1e-2 }] },
] as const;

test("checkSteps counts honest steps above the tolerance of their precision", () => {
  const checked = checkSteps(
    [
      { ...step, maker: "cpu", checker: "chrome", velocityError: 9e-4 },
      { ...step, maker: "cpu", checker: "chrome", velocityError: 2e-3 },
      { ...step, maker: "cpu", checker: "cpu:fp16", velocityError: 2e-3 },
      { ...step, maker: "cpu", checker: "native", velocityError: NaN },
      // An engine with itself is no evidence.
      { ...step, maker: "cpu", checker: "cpu", velocityError: 1 },
    ],
    tolerances.map(({ precision, points }) => ({ precision, points: [...points] })),
    ({ checker }) => checker === "cpu:fp16" ? "float16" : "float32",
  );
  expect(checked).toMatchObject({ checks: 4, rejected: 2 });
  expect(checkLine({ checks: 2000, rejected: 0, worst: 0.25 }))
    .toBe("0 of 2000 honest step checks rejected; the largest error is 0.25 of its tolerance");
});
