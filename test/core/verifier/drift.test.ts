import { describe, expect, test } from "vitest";
import { gaussianNoise } from "../../../core/noise/mod.ts";
import { CHECKS_A_MONTH, FALSE_ALARMS } from "../../../core/verifier/drift.ts";
import { driftOf, fitHonestTail, gainOf, type HonestTail } from "../../../core/verifier/mod.ts";

/**
 * Images of a random-effects model: log(error / tolerance) of a step is the image's own mean plus the
 * step's deviation. Its numbers are near those of Chrome's software adapter against the CPU.
 */
const HONEST = { mean: -1.6, between: 0.15, within: 0.5 };
const STEPS = 20;

/** @param shift of every step, in nats. @param tail makes the deviations heavier than normal. */
function images(
  count: number,
  seed: bigint,
  shift = 0,
  tail = (z: number) => z,
  within = HONEST.within,
): number[][] {
  const noise = gaussianNoise(seed, 0, count * (STEPS + 1));
  return Array.from({ length: count }, (_, k) => {
    const own = noise.subarray(k * (STEPS + 1), (k + 1) * (STEPS + 1));
    return Array.from(
      own.subarray(1),
      (z) => Math.exp(HONEST.mean + shift + HONEST.between * own[0] + within * tail(z)),
    );
  });
}

/** A check of three steps of an image, others each time. */
const checked = (ratios: readonly number[], k: number) =>
  [k, k + 7, k + 14].map((step) => ratios[step % STEPS]);

/** How often it begins to drift; the last hundred checks count, as in the ledger. */
function alarms(made: readonly number[][], tail: HonestTail): number {
  const gains = made.map((image, k) => gainOf(checked(image, k), tail));
  let [count, before] = [0, false];
  // Every tenth check is enough: a drift lasts longer.
  for (let end = 10; end <= gains.length; end += 10) {
    const { drifting } = driftOf(gains.slice(Math.max(0, end - 100), end));
    if (drifting && !before) count++;
    before = drifting;
  }
  return count;
}

const TAIL = fitHonestTail(images(40, 1n));
const THRESHOLD = Math.log(CHECKS_A_MONTH / FALSE_ALARMS);

/** The same sum as the test's, without an end: so that rare alarms can be counted at lower ones. */
function highest(made: readonly number[][], tail = TAIL): { rises: number[]; checks: number } {
  const rises: number[] = [];
  let [sum, most] = [0, 0];
  for (const [k, image] of made.entries()) {
    sum = Math.max(0, sum + gainOf(checked(image, k), tail));
    most = Math.max(most, sum);
    if (sum > 0) continue;
    if (most > 0) rises.push(most);
    most = 0;
  }
  return { rises, checks: made.length };
}

/** Student's t of about five degrees of freedom: three standard deviations are ten times as likely. */
const heavy = (z: number) => z * Math.exp(0.12 * z * z) / 1.5;

describe("honest miners", () => {
  // 20,000 checks are a miner's month. An alarm at the threshold has a probability of 1e-4 a month,
  // too little to count; by Ville's inequality a sum of t has at most e^-t for each check it could
  // have begun at, which is counted at smaller t.
  test.each([["normal", (z: number) => z, 2n], ["heavy", heavy, 3n]])(
    "sums of %s errors are as rare as false alarms of 1e-4 a month need",
    (_, shape, seed) => {
      const tail = fitHonestTail(images(40, seed + 10n, 0, shape));
      const { rises, checks } = highest(images(CHECKS_A_MONTH, seed, 0, shape), tail);
      for (const level of [1, 2, 3, 4, 6, 8]) {
        const share = rises.filter((most) => most > level).length / checks;
        expect(share, `above ${level}`).toBeLessThan(Math.exp(-level));
      }
      expect(Math.max(...rises)).toBeLessThan(THRESHOLD);
    },
  );

  test("none is drifting in a month", () => {
    expect(alarms(images(CHECKS_A_MONTH, 4n), TAIL)).toBe(0);
  });

  test("one check that is far off says nothing yet, nor do four", () => {
    const off = Array.from({ length: 4 }, () => gainOf([50, 50, 50], TAIL));
    expect(driftOf(off).drifting).toBe(false);
    expect(driftOf([...off, 9]).drifting).toBe(true);
  });
});

/** Share of a hundred miners that are drifting after so many checks. */
function found(count: number, make: (seed: bigint) => number[][]): number {
  const miners = Array.from({ length: 100 }, (_, k) => make(1000n + BigInt(k)));
  const drifting = miners.filter((made) =>
    driftOf(made.slice(0, count).map((image, k) => gainOf(checked(image, k), TAIL))).drifting
  );
  return drifting.length / miners.length;
}

describe("miners that are a little less precise", () => {
  // Float16 weights on the CPU: e^0.9 of Chrome's error, each step far below its tolerance.
  const every = (seed: bigint) => images(20, seed, 0.9);

  test("are found after 20 checks, though each passes", () => {
    const passing = every(5n).flat().filter((ratio) => ratio < 1).length;
    expect(passing / (20 * STEPS)).toBeGreaterThan(0.9);
    expect(found(20, every)).toBeGreaterThan(0.98);
    expect(found(3, every)).toBe(0);
  });

  // TF32 weights at every second step of 30: e^-1.07 of the tolerance at those and nothing at the
  // others, where steps of Chrome's software adapter are e^-1.93 apart by 0.28
  // (models/tau-tiny-calibration-records.json). By the mean of a check 81 % were found.
  test("at every second step are found after 20 checks", () => {
    const spread = 0.28;
    const tail = fitHonestTail(images(40, 12n, -0.33, undefined, spread));
    const half = (seed: bigint) =>
      images(20, seed, 0.53, undefined, 0.3).map((image) =>
        image.map((ratio, step) => step % 2 ? ratio : 0)
      );
    const miners = Array.from({ length: 500 }, (_, k) => half(5000n + BigInt(k)));
    const drifting = miners.filter((made) =>
      driftOf(made.map((image, k) => gainOf(checked(image, k), tail))).drifting
    );
    expect(drifting.length / miners.length).toBeGreaterThan(0.99);
  });

  test("steps that agree to the bit do not hide the others", () => {
    const half = (seed: bigint) =>
      images(60, seed, 1.5).map((image) => image.map((ratio, step) => step % 2 ? ratio : 0));
    expect(found(60, half)).toBeGreaterThan(0.9);
  });

  test("honest images in between do not hide the others", () => {
    const mixed = (seed: bigint) =>
      images(80, seed, 1.5).map((image, k) => k % 2 ? image : image.map(() => 0));
    expect(found(80, mixed)).toBeGreaterThan(0.9);
  });

  test("are no longer drifting once newer checks are honest", () => {
    const gains = (made: number[][]) => made.map((image, k) => gainOf(checked(image, k), TAIL));
    const before = gains(every(6n));
    expect(driftOf(before).drifting).toBe(true);
    const after = gains(images(30, 7n));
    expect(driftOf([...before, ...after.slice(0, 1)]).drifting).toBe(true);
    expect(driftOf([...before, ...after])).toMatchObject({ drifting: false });
  });
});

describe("fitHonestTail", () => {
  test("finds the distribution that images were drawn from", () => {
    const tail = fitHonestTail(images(2000, 8n));
    expect(tail.floor).toBeCloseTo(HONEST.mean, 1);
    // Of a normal deviate that is held at its mean from below: 0.584 of its own.
    const deviate = Math.hypot(HONEST.within, HONEST.between);
    expect(Math.hypot(tail.within, tail.between)).toBeCloseTo(0.584 * deviate, 1);
  });

  test("is wider where honest images have heavier tails", () => {
    const { within } = fitHonestTail(images(2000, 9n, 0, (z) => z * z * z / 3));
    expect(within).toBeGreaterThan(fitHonestTail(images(2000, 9n)).within);
  });

  test("steps of one image are correlated: means spread by more than independent steps' would", () => {
    const apart = images(500, 10n).map((image, k) => image.map((ratio) => ratio * (k % 2 ? 9 : 1)));
    const { between } = fitHonestTail(apart);
    // Half are ln 9 above the other half, and the floor is halfway: they are held there.
    expect(between).toBeGreaterThan(0.4);
  });

  test("of few images is higher, by what they leave open", () => {
    const few = fitHonestTail(images(4, 11n));
    const many = fitHonestTail(images(4000, 11n));
    expect(few.floor).toBeGreaterThan(many.floor);
  });
});
