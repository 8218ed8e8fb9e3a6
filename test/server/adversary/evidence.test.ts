import { describe, expect, test } from "vitest";
import evidence from "../../../models/tau-tiny-adversary.json" with { type: "json" };
import { zoo } from "../../../core/adversary/mod.ts";

/** What `deno task adversary --write` left: the figures that NOT_CAUGHT.md speaks of. */
const { sizing, honest, cheats, notCaught, drift, files } = evidence;

test("the study is of every cheat that is tried today", () => {
  expect(cheats.map(({ name }) => name)).toEqual(zoo.map(({ name }) => name));
});

test("no honest step was flagged, whichever machine made it", () => {
  expect(honest.length).toBeGreaterThanOrEqual(2);
  for (const { flagged, steps, runs } of honest) {
    expect(flagged).toBe(0);
    expect(steps).toBe(runs * sizing.steps);
  }
});

describe.each(cheats)("$name", ({ cheated, steps, flagged, passes, plainCatch, income }) => {
  test("of its opened steps at least 99.9% are flagged", () => {
    expect(Math.round(steps * cheated)).toBeGreaterThanOrEqual(sizing.samples);
    expect(flagged).toBeGreaterThanOrEqual(0.999);
  });

  // Where half of all steps are cheated a draw that is steered elsewhere is worse by 5 points of 88.
  test("one check of three steps catches it about as often as plain drawing, or more", () => {
    if (cheated > 0.999) expect(passes.drawn[3]).toBeLessThanOrEqual(0.001);
    else expect(1 - passes.drawn[3]).toBeGreaterThanOrEqual(plainCatch - 0.06);
  });

  test("it does not pay", () => {
    expect(income.ours).toBeLessThan(1);
  });
});

test("what is said not to be caught is not caught", () => {
  expect(notCaught.map(({ name, flagged }) => [name, flagged < 0.999])).toEqual([
    ["float16 weights, claimed float32", true],
    ["TF32 weights, claimed float32", true],
    ["TF32 weights at every second step", true],
    ["int8 weights in the middle block", true],
  ]);
});

test("what no single check catches drifts, each miner of it after 40 checks", () => {
  const cheats = drift.filter(({ name }) => notCaught.some((each) => each.name === name));
  expect(cheats.map(({ rates }) => rates[40])).toEqual(notCaught.map(() => 1));
  for (const { rates } of drift.filter(({ name }) => name.startsWith("honest"))) {
    expect(rates).toEqual({ 5: 0, 10: 0, 20: 0, 40: 0 });
  }
});

test("no file that shows or carries something else is honest", () => {
  expect(files.map(({ verdict }) => verdict)).not.toContain("honest");
  expect(files.length).toBeGreaterThan(20);
});
