import { expect, test } from "vitest";
import {
  type ExaminedStep,
  findingsOf,
  relativeIncome,
  thresholdsOf,
} from "../../../core/adversary/mod.ts";
import { gaussianNoise } from "../../../core/noise/mod.ts";

const STEPS = 10;

function examined(index: number, velocityError: number, flagged: boolean): ExaminedStep {
  return {
    ...{ index, cheated: flagged, flagged, velocityError, tolerance: 1, ratio: velocityError },
    ...{ similarity: 1, latentCosine: 1 },
  };
}

const run = (flagged: (index: number) => boolean) => ({
  sights: Array.from({ length: STEPS }, (_, i) => examined(i, flagged(i) ? 2 : 0.5, flagged(i))),
  oddest: 9,
  calls: 0.5,
  work: 0.5,
});

const none = { all: [examined(0, 0, false)], thresholds: undefined };

test("findingsOf: a practice earns the mean of its runs' incomes, not that of a mean run", () => {
  const [unseen, seen] = [run(() => false), run(() => true)];
  const { income } = findingsOf({ name: "mixed", saves: "" }, [unseen, seen], none);
  const alone = relativeIncome({ work: 0.5, similarity: 1, passes: 1 });
  expect(income.ours).toBeCloseTo(alone / 2, 12);
  // Half of the images pass: that over 8.75 checks is next to nothing.
  expect(relativeIncome({ work: 0.5, similarity: 1, passes: 0.5 })).toBeLessThan(0.01 * alone);
});

/** Honest runs whose errors grow from step to step, spread log-normally. */
function honestSteps(seed: bigint, runs: number): ExaminedStep[] {
  const spread = gaussianNoise(seed, 0, runs * STEPS);
  return Array.from({ length: runs * STEPS }, (_, k) => {
    const index = k % STEPS;
    return examined(index, 1e-4 * 1.02 ** index * Math.exp(0.5 * spread[k]), false);
  });
}

const fitted = honestSteps(1n, 400);
const fresh = honestSteps(2n, 100_000);

// 100,000 images that the thresholds were not fitted to: 10 rejected are expected. Steps are pooled
// with their neighbours, and fitted to 400 images: both make a factor of three.
test.each([1, 3, 5] as const)(
  "thresholdsOf reject about one honest image in 10,000 when %i steps are drawn",
  (drawn) => {
    const thresholds = thresholdsOf(fitted, STEPS);
    let rejected = 0;
    for (let first = 0; first < fresh.length; first += STEPS) {
      const steps = fresh.slice(first, first + drawn);
      const limits = thresholds?.[drawn] ?? [];
      if (steps.some(({ index, velocityError }) => velocityError > limits[index])) rejected++;
    }
    expect(rejected).toBeGreaterThanOrEqual(1);
    expect(rejected).toBeLessThanOrEqual(30);
  },
);

test("thresholdsOf: the more steps are drawn, the higher; never below an error that was seen", () => {
  const honest = [...honestSteps(1n, 50), examined(4, 0.02, false)];
  const thresholds = thresholdsOf(honest, STEPS);
  for (let i = 0; i < STEPS; i++) {
    const [one, three, five] = [1, 3, 5].map((drawn) => thresholds?.[drawn as 1 | 3 | 5][i] ?? 0);
    const seen = Math.max(
      ...honest.filter(({ index }) => index === i).map((each) => each.velocityError),
    );
    expect(one).toBeGreaterThanOrEqual(seen);
    expect(three).toBeGreaterThanOrEqual(one);
    expect(five).toBeGreaterThanOrEqual(three);
  }
});

test("thresholdsOf: of machines that agree to the bit there is nothing to say", () => {
  expect(thresholdsOf([examined(0, 0, false)], STEPS)).toBeUndefined();
  expect(thresholdsOf([], STEPS)).toBeUndefined();
});

test("findingsOf: false accepts are those below the thresholds, whatever the tolerance says", () => {
  const limits = Array.from({ length: STEPS }, (_, i) => i < 5 ? 0.1 : 1);
  const thresholds = { 1: limits, 3: limits, 5: limits };
  // Errors of 0.5: not flagged by the tolerance, and by the thresholds at the first half.
  const { passes } = findingsOf({ name: "subtle", saves: "" }, [run(() => false)], {
    ...none,
    thresholds,
  });
  expect(passes.drawn).toEqual({ 1: 1, 3: 1, 5: 1 });
  expect(passes.atRate?.[1]).toBeCloseTo(0.5, 12);
  // The oddest step, 9, is below; of the five last others, 4 to 8, four are, and of the eight left three.
  expect(passes.atRate?.[3]).toBeCloseTo(4 / 5 * 3 / 8, 12);
});
