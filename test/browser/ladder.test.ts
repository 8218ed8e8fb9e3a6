import { describe, expect, test } from "vitest";
import { brokenRungs, reportRungs, runningRungs } from "../../browser/app/views/ladder.ts";
import type { Stage, TabReport } from "../../browser/app/api/api.ts";
import type { Report } from "../../core/verifier/mod.ts";

const COST = {
  ...{ openings: 3, bytes: 100, evaluations: 0, share: 0 },
  ...{ openingMs: 0, loadMs: 0, networkMs: 0, decodeMs: 0, totalMs: 0 },
};
const STEP = { step: 4, noise: 1, outside: 0 };
const NETWORK = { velocityError: 0.001, tolerance: 0.01, similarity: 1 };

function reportWith(change: Partial<TabReport>): TabReport {
  return {
    ...{ verdict: "honest", reasons: [], level: 1, asked: 3, receipt: "", miner: "" },
    model: { id: "tau-tiny", manifest: "", precision: "float32" },
    drawnBy: "drawn in private",
    ...{ opened: [4], of: 20, draw: "private", steps: [STEP], tolerances: "catalogue", cost: COST },
    ...change,
  };
}

function states(report: Report): Record<string, string> {
  return Object.fromEntries(reportRungs(report, "").map(({ stage, state }) => [stage, state]));
}

const [done, failed, open] = ["done", "failed", "open"];

describe("rungs of a report say what was checked, and no more", () => {
  test.each<[string, Partial<Report>, Partial<Record<Stage, string>>]>([
    ["only the receipt", { opened: [], steps: [], cost: { ...COST, openings: 0 } }, {
      ...{ receipt: done, proofs: open, arithmetic: open, model: open, network: open, image: open },
    }],
    ["up to the arithmetic", {}, {
      ...{ receipt: done, proofs: done, arithmetic: done, model: open, network: open, image: open },
    }],
    ["a wrong value", { verdict: "invalid", steps: [{ ...STEP, outside: 2 }] }, {
      ...{ proofs: done, arithmetic: failed, network: open },
    }],
    ["a start of another seed", { verdict: "invalid", start: { differing: 9, outside: 9 } }, {
      arithmetic: failed,
    }],
    ["a prediction", { steps: [{ ...STEP, ...NETWORK }], worst: 0.1 }, {
      ...{ arithmetic: done, model: done, network: done, image: open },
    }],
    ["a prediction that is far off", {
      ...{ verdict: "suspect", worst: 90 },
      steps: [{ ...STEP, ...NETWORK, velocityError: 0.9 }],
    }, { arithmetic: done, network: failed }],
    ["one that is not a number", {
      ...{ verdict: "suspect", worst: Infinity },
      steps: [{ ...STEP, ...NETWORK, velocityError: NaN }],
    }, { network: failed }],
    ["an equal image", {
      steps: [{ ...STEP, ...NETWORK }],
      image: { psnr: null, floor: 40 },
    }, { image: done }],
    ["another image", { verdict: "suspect", image: { psnr: 12, floor: 40 } }, { image: failed }],
    ["a signature of another", { verdict: "invalid", code: "signature_invalid", steps: [] }, {
      ...{ receipt: failed, proofs: open, arithmetic: open, network: open },
    }],
    ["a proof that fails", { verdict: "invalid", code: "opening_invalid", steps: [] }, {
      ...{ receipt: done, proofs: failed, arithmetic: open, network: open },
    }],
    ["a step that was not opened", { verdict: "invalid", code: "opening_withheld", steps: [] }, {
      ...{ receipt: done, proofs: open, arithmetic: open },
    }],
  ])("%s", (_, change, expected) => {
    expect(states(reportWith(change))).toMatchObject(expected);
  });

  test("the statement alone is not the whole receipt", () => {
    const detailOf = (report: TabReport) => reportRungs(report, "")[0].detail;
    expect(detailOf(reportWith({ statementOnly: true }))).toMatch(/^only the signature, the time/);
    expect(detailOf(reportWith({}))).toMatch(/the receipt hold/);
  });

  test("no rung is above what was asked", () => {
    expect(Object.keys(states(reportWith({ asked: 1 })))).toEqual([
      ...["receipt", "proofs", "arithmetic"],
    ]);
  });
});

test("while it runs the last is in progress, and no finished one keeps its detail", () => {
  const said = new Map<Stage, string>([["receipt", "plan"], ["proofs", "opening step 3"]]);
  expect(runningRungs(1, said).map(({ state, detail }) => [state, detail])).toEqual([
    ...[["done", ""], ["running", "opening step 3"], ["open", ""]],
  ]);
  // Whether the stage that was broken off holds is unknown.
  expect(brokenRungs(1, said).map(({ state }) => state)).toEqual(["done", "open", "open"]);
});
