import { beforeAll, describe, expect, test } from "vitest";
import { knownModels, openModel } from "../../../server/storage/mod.ts";
import { catalogueEntryOf } from "../../../core/inference/mod.ts";
import { decodeTolerances } from "../../../core/verification/mod.ts";
import { zoo } from "../../../core/adversary/mod.ts";
import { LabBench } from "../../../server/adversary/lab_bench.ts";
import { type Study, studyCheats } from "../../../server/adversary/study.ts";
import { studyPage } from "../../../server/adversary/page.ts";
import { studyTable } from "../../../server/adversary/table.ts";

// The embedded model, on the CPU, with the tolerances of the catalogue.
const sizing = { runs: 1, steps: 20, size: 64, scheduler: "sde-dpmsolver++", guidanceScale: 5 };
let study: Study;

beforeAll(async () => {
  const tolerances = decodeTolerances(catalogueEntryOf("tau-tiny", knownModels())?.tolerances);
  const tolerance = tolerances.find(({ precision }) => precision === "float32");
  if (!tolerance) throw new Error("the catalogue has no tolerances of tau-tiny");
  await using bench = await LabBench.open(await openModel("embedded"), tolerance);
  study = await studyCheats(bench, sizing, new Map(), () => {});
}, 300_000);

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

test("other cheats are caught as often as drawing hits them, within half a percent of plain drawing", () => {
  const partly = study.cheats.filter(({ cheated }) => cheated < 1);
  expect(partly.length).toBeGreaterThan(4);
  for (const { passes, plainCatch } of partly) {
    expect(1 - passes.drawn[3]).toBeGreaterThanOrEqual(plainCatch - 0.012);
  }
});

test("the older rule passes most of them", () => {
  const passed = study.cheats.filter(({ passes }) => passes.older > 0.9);
  expect(passed.length).toBeGreaterThan(zoo.length / 2);
});

test("the table and the page name every practice", () => {
  const [table, page] = [studyTable(study), studyPage(study, sizing)];
  for (const { name } of zoo) {
    expect(table).toContain(name);
    expect(page).toContain(name);
  }
  expect(page).not.toMatch(/NaN|undefined|<script|https?:/);
});
