import { expect, test } from "vitest";
import { planFor, plannerOf } from "../../../core/request/mod.ts";

const SIZE = { width: 64, height: 64 };
const own = {
  _class_name: "EulerDiscreteScheduler",
  ...{ beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" },
};

test("plannerOf gives the plans of planFor, each made once", () => {
  const plans = plannerOf(own);
  for (const scheduler of [undefined, "euler", { use_karras_sigmas: false }]) {
    const choice = plans({ scheduler, steps: 5, ...SIZE });
    expect(choice).toEqual(planFor(own, { scheduler, steps: 5, ...SIZE }));
    expect(plans({ scheduler, steps: 5, ...SIZE })).toBe(choice);
    expect(plans({ scheduler, steps: 6, ...SIZE })).not.toBe(choice);
  }
});

test("plannerOf drops the least recently used plan, however many are asked for", () => {
  const plans = plannerOf(own);
  const [first, second] = [1, 2].map((steps) => plans({ scheduler: undefined, steps, ...SIZE }));
  for (let steps = 3; steps <= 64; steps++) plans({ scheduler: undefined, steps, ...SIZE });
  expect(plans({ scheduler: undefined, steps: 1, ...SIZE })).toBe(first);
  plans({ scheduler: undefined, steps: 65, ...SIZE });
  expect(plans({ scheduler: undefined, steps: 1, ...SIZE })).toBe(first);
  expect(plans({ scheduler: undefined, steps: 2, ...SIZE })).not.toBe(second);
});
