import { expect, test } from "vitest";
import {
  planFromConfig,
  schedulerConfigFromName,
  schedulerNames,
} from "../../../core/schedule/mod.ts";

const SPACINGS = ["linspace", "leading", "trailing"];
const COUNTS = [1, 2, 999, 1000, 1001];
/** Every class, and of the presets those with a grid or an order of their own. */
const NAMES = schedulerNames.filter((name) => /Scheduler$|^sde|3m$|^ddim$/.test(name));

/** The bound in a refusal, which is of the number of steps alone: nothing else was set. */
const BOUND = /steps is \d+, must be (?:at most|an integer from 1 to)(?: \w+)? \(?(\d+)/;

const cases = NAMES.flatMap((name) =>
  SPACINGS.flatMap((spacing) => [0, 1].map((offset) => [name, spacing, offset] as const))
);

function configOf(name: string, spacing: string, offset: number) {
  return schedulerConfigFromName(name, {
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: "scaled_linear",
    clip_sample: false,
    timestep_spacing: spacing,
    steps_offset: offset,
  });
}

test.each(cases)("%s, %s, offset %i: every number of steps is planned or refused", (...of) => {
  for (const steps of COUNTS) {
    const plan = outcome(() => planFromConfig(configOf(...of), steps));
    if (plan instanceof Error) {
      expect(plan).toMatchObject({ code: "invalid_request" });
      expect(plan.message).toMatch(BOUND);
      if (steps > 1000) continue;
      // A bound that is named is one that holds.
      const max = Number(BOUND.exec(plan.message)?.[1]);
      expect(planFromConfig(configOf(...of), max).rows).toHaveLength(rowsOf(of[0], max));
      continue;
    }
    expect(steps).toBeLessThanOrEqual(1000);
    expect(plan.rows).toHaveLength(rowsOf(of[0], steps));
    expect(plan.rows.every((row) => Object.values(row).flat().every(Number.isFinite))).toBe(true);
  }
});

/** PNDM takes its first step twice, unless it is the only one; others take all but the last twice. */
function rowsOf(name: string, steps: number): number {
  if (/^(Heun|KDPM2)/.test(name)) return 2 * steps - 1;
  return name === "PNDMScheduler" && steps > 1 ? steps + 1 : steps;
}

function outcome<T>(make: () => T): T | Error {
  try {
    return make();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
