import process from "node:process";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CatalogueEntry } from "../../../core/model/mod.ts";
import { calibrateCommand } from "../../../server/calibrate/mod.ts";

const given = vi.hoisted(() => ({ tolerance: 1 }));

/** The catalogue, with one tolerance for all steps. */
vi.mock("../../../server/models/mod.ts", async (original) => {
  const real = await original<typeof import("../../../server/models/mod.ts")>();
  const knownEntry = (model: string): CatalogueEntry | undefined => {
    const points = [{ noise: 1, tolerance: given.tolerance }];
    const tolerances = [{ precision: "float16", points }];
    const entry = real.knownEntry(model);
    return entry && { ...entry, tolerances };
  };
  return { ...real, knownEntry };
});

beforeEach(() => void (process.exitCode = 0));
afterEach(() => {
  process.exitCode = 0;
  vi.restoreAllMocks();
});

test.each([[1, 0], [1e-9, 1]])(
  "calibrate --check with a tolerance of %d ends with exit code %i",
  async (tolerance, code) => {
    given.tolerance = tolerance;
    vi.spyOn(console, "log").mockImplementation(() => {});
    const engines = ["--engines", "cpu,cpu:fp16", "--check", "--json"];
    const size = ["--runs", "1", "--sizes", "64", "--steps", "3"];
    await calibrateCommand().parseAsync([...engines, ...size], { from: "user" });
    expect(process.exitCode).toBe(code);
  },
);
