import { beforeAll, describe, expect, test } from "vitest";
import { knownEntry, openModel } from "../../../server/models/mod.ts";
import { decodeTolerances } from "../../../core/model/mod.ts";
import { steeredCatchRate } from "../../../core/verifier/mod.ts";
import { driftRates, imprecise, zoo } from "../../../core/adversary/mod.ts";
import { StudyJournal } from "../../../server/adversary/journal.ts";
import { LabBench } from "../../../server/adversary/lab_bench.ts";
import { type Study, studyCheats } from "../../../server/adversary/study.ts";
import { studyPage } from "../../../server/adversary/page.ts";
import { studyTable } from "../../../server/adversary/table.ts";

// The embedded model, on the CPU, with the tolerances of the catalogue.
const sizing = {
  ...{ runs: 1, samples: 4, steps: 20, size: 64 },
  ...{ scheduler: "sde-dpmsolver++", guidanceScale: 5 },
};
// Of Chrome's software adapter, about: models/tau-tiny-calibration-records.json.
const TAIL = { floor: -1.9, between: 0.15, within: 0.2 };
let study: Study;
const progress: [name: string, done: number, total: number][] = [];

beforeAll(async () => {
  const tolerances = decodeTolerances(knownEntry("tau-tiny")?.tolerances);
  const tolerance = tolerances.find(({ precision }) => precision === "float32");
  if (!tolerance) throw new Error("the catalogue has no tolerances of tau-tiny");
  await using bench = await LabBench.open(await openModel("embedded"), tolerance);
  const journal = await StudyJournal.open(undefined, sizing);
  const note = (...each: typeof progress[number]) => progress.push(each);
  study = await studyCheats(bench, sizing, new Map(), TAIL, journal, note);
});

const each = zoo.map(({ name }, k) => [name, k] as const);

describe("no cheat pays more than honesty", () => {
  test.each(each)("%s", (_, k) => {
    expect(study.cheats[k].income.ours).toBeLessThan(1);
  });
});

describe("every opened step that was cheated is flagged", () => {
  test.each(each)("%s", (_, k) => {
    const { flagged, sights } = study.cheats[k];
    expect(sights.some(({ cheated }) => cheated)).toBe(true);
    expect(flagged).toBe(1);
  });
});

test("every file that shows or carries something else is seen", () => {
  expect(study.files.map(({ verdict }) => verdict)).not.toContain("honest");
  expect(studyTable(study)).toContain("png: every pixel transparent");
});

test("an honest run is flagged at no step and earns what honesty earns", () => {
  const [honest] = study.honest;
  expect(honest.sights).toHaveLength(20);
  expect(honest.sights.filter(({ flagged }) => flagged)).toEqual([]);
  expect(honest).toMatchObject({ passes: { drawn: { 1: 1, 3: 1, 5: 1 } }, income: { ours: 1 } });
});

test("cheats that touch the whole run never pass a check of three steps", () => {
  const whole = study.cheats.filter(({ cheated }) => cheated === 1);
  expect(whole.length).toBeGreaterThan(8);
  expect(whole.map(({ passes }) => passes.drawn[3])).toEqual(whole.map(() => 0));
});

test("other cheats are caught as often as drawing hits them, whichever step is the oddest", () => {
  const partly = study.cheats.filter(({ cheated }) => cheated < 1);
  expect(partly.length).toBeGreaterThan(4);
  for (const { passes, sights } of partly) {
    const cheated = [...new Set(sights.filter((step) => step.cheated).map(({ index }) => index))];
    const hits = Array.from({ length: 20 }, (_, odd) => steeredCatchRate(20, 3, odd, cheated));
    expect(1 - passes.drawn[3]).toBeGreaterThanOrEqual(Math.min(...hits) - 1e-12);
  }
});

test("three predictions that are used again are found by a draw of three, which is steered to them", () => {
  const { passes, plainCatch } = study.cheats[2];
  // 1 - C(17,3) / C(20,3).
  expect(plainCatch).toBeCloseTo(0.404, 3);
  expect(passes.drawn[3]).toBe(0);
});

test("network calls are counted, and are what the practice makes", () => {
  // Of 20 steps: calls left out at 1, 3, ..., 19; 2, 5, ..., 17; 5, 10, 15; 3, 5, ..., 19.
  const calls = {
    "every second call reused": 10 / 20,
    "every third call reused": 14 / 20,
    "three calls reused": 17 / 20,
    "every second call extrapolated": 11 / 20,
    "noise only": 17 / 20,
    "a third of the steps, interpolated": 7 / 20,
    "forged around a cached image": 0,
    "another run's predictions with noise": 0,
    // Half of each call: one side of the guidance.
    "no guidance": 1 / 2,
    "openings withheld": 10 / 20,
  };
  const counted = study.cheats.map(({ name, calls }) => [name, calls] as const);
  for (const [name, share] of counted) {
    expect([name, share]).toEqual([name, (calls as Record<string, number>)[name] ?? 1]);
  }
  expect(study.honest[0].calls).toBe(1);
  // The rest is what a call costs: nothing where an image was made before, half for a cheaper network.
  const priced = study.cheats.filter(({ calls, work }) => calls !== work);
  expect(priced.map(({ name, work }) => [name, work])).toEqual([
    ["wrong prompt", 0.5],
    ["int8 weights", 0.5],
    ["int4 weights", 0.25],
    ["another model", 0.5],
    ["wrong seed", 0],
    ["regenerated only when asked", 0],
  ]);
});

test("practices that cheat at few steps are tried until enough were seen", () => {
  const { runs, sights } = study.cheats[2];
  expect(runs).toBe(2);
  expect(sights.filter(({ cheated }) => cheated)).toHaveLength(6);
});

test("without another honest machine there are no thresholds, and no figures by them", () => {
  expect(study.thresholds).toBeUndefined();
  expect(study.cheats.every(({ passes }) => passes.atRate === undefined)).toBe(true);
});

test("Subnet 30's rule passes most of them", () => {
  const passed = study.cheats.filter(({ passes }) => passes.older > 0.9);
  expect(passed.length).toBeGreaterThan(zoo.length / 2);
});

test("the table and the page name every practice", () => {
  const [table, page] = [studyTable(study), studyPage(study, sizing)];
  expect(Math.max(...table.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
  for (const { name } of zoo) {
    expect(table).toContain(name);
    expect(page).toContain(name);
  }
  expect(page).not.toMatch(/NaN|undefined|<script|https?:/);
});

test("a bar that is longer than the scale is drawn with a gap", () => {
  const incomes = [...study.honest, ...study.cheats, ...study.notCaught]
    .flatMap(({ income }) => [income.ours, income.older]);
  const cut = incomes.filter((income) => income > 5);
  expect(cut).not.toEqual([]);
  expect(studyPage(study, sizing).match(/class="cut"/g)).toHaveLength(cut.length);
});

test("progress counts every practice, up to the last", () => {
  const names = ["honest", ...[...zoo, ...imprecise].map(({ name }) => name)];
  expect(progress).toEqual(names.map((name, k) => [name, k + 1, names.length]));
});

// Single checks pass them all: study.notCaught.
test("what is a little less precise is found by all its checks together, no honest miner is", () => {
  const after = (name: string) => study.drift.find((each) => each.name === name)?.rates;
  for (const name of ["float16 weights, claimed float32", "TF32 weights, claimed float32"]) {
    expect(after(name)?.[20], name).toBe(1);
    // Each check weighs little.
    expect(after(name)?.[5], name).toBeLessThan(1);
  }
  // Of one image: one of its odd steps, and one of five late ones, are always among the three.
  expect(after("TF32 weights at every second step")?.[40]).toBeGreaterThan(0.2);
  expect(after("int8 weights in the middle block")?.[20]).toBe(1);
  const honest = [{ sights: study.honest[0].sights, oddest: 0 }];
  expect(driftRates(honest, TAIL)).toEqual({ 5: 0, 10: 0, 20: 0, 40: 0 });
});
