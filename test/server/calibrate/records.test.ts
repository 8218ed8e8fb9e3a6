import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { decodeTolerances, type Tolerance } from "../../../core/model/mod.ts";
import { signCalibration, tailOf } from "../../../core/verifier/mod.ts";
import type { StepAgreement } from "../../../server/calibrate/agreement.ts";
import type { Machine } from "../../../server/calibrate/hosts.ts";
import { openCalibration } from "../../../server/calibrate/mod.ts";
import { recordsOf } from "../../../server/calibrate/records.ts";
import { knownEntry } from "../../../server/models/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const MANIFEST = "ab".repeat(32);
const TOLERANCES: Tolerance[] = [
  { precision: "float32", points: [{ noise: 1, tolerance: 1e-3 }] },
  { precision: "float16", points: [{ noise: 1, tolerance: 1e-2 }] },
];

function machine(compute: string, precision: Tolerance["precision"] = "float32"): Machine {
  const facts = () => Promise.resolve({ id: "m", manifest: MANIFEST, precision });
  return { engine: { compute }, precision, facts } as unknown as Machine;
}

const MACHINES = new Map([
  ["cpu", machine("the CPU")],
  ["chrome", machine("a browser")],
  ["cpu:fp16", machine("the CPU", "float16")],
]);

/** Steps of an image that are each an eighth of the tolerance off. */
function image(maker: string, checker: string, run: number, scheduler: string | undefined) {
  return Array.from({ length: 6 }, (_, index): StepAgreement => ({
    ...{ maker, checker, run, scheduler, index, steps: 6, noise: 1, precision: "float32" },
    velocityError: 1.25e-4,
  }));
}

const STEPS = ["ddim", "euler_a"].flatMap((scheduler, k) =>
  [0, 1].flatMap((run) => [
    ...image("cpu", "chrome", 2 * k + run, scheduler),
    ...image("cpu", "cpu", 2 * k + run, scheduler),
    ...image("chrome", "cpu:fp16", 2 * k + run, scheduler),
  ])
);

test("a record is of a backend that another with the same weights has checked", async () => {
  const records = await recordsOf(STEPS, MACHINES, TOLERANCES, "2026-01-01");
  expect(records).toMatchObject([{
    ...{ backend: "cpu", device: "the CPU", checkers: ["chrome"], manifest: MANIFEST },
    ...{ images: 4, steps: 24, tolerance: TOLERANCES[0], date: "2026-01-01" },
    quantiles: { p5: 0.125, max: 0.125 },
    tails: [{ scheduler: "ddim" }, { scheduler: "euler_a" }],
  }]);
  expect(records[0].tails[0].floor).toBeCloseTo(Math.log(0.125), 3);
});

test("one image alone of a scheduler, and engines of other weights, are too little", async () => {
  const alone = image("cpu", "chrome", 0, "ddim");
  expect(await rejection(recordsOf(alone, MACHINES, TOLERANCES, "2026-01-01"))).toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining("one image alone of the scheduler ddim"),
  });
  const other = STEPS.filter(({ maker }) => maker === "chrome");
  await expect(recordsOf(other, MACHINES, TOLERANCES, "2026-01-01")).rejects.toThrow(
    /no two of the engines have the same weights/,
  );
});

test("a validator reads the records of hotkeys that it trusts, over its own tolerances", async () => {
  const [trusted, other] = ["1", "2"].map((digit) => openHotkey(digit.repeat(64)));
  const [record] = await recordsOf(STEPS, MACHINES, TOLERANCES, "2026-01-01");
  const stale = {
    ...record,
    tolerance: { ...TOLERANCES[0], points: [{ noise: 1, tolerance: 1 }] },
  };
  const records = [
    await signCalibration(record, trusted),
    await signCalibration({ ...record, backend: "native" }, other),
    await signCalibration({ ...stale, backend: "stale" }, trusted),
  ];
  const file = join(await temporaryFolder(), "records.json");
  await writeFile(file, JSON.stringify({ records }));
  const open = (by: readonly string[]) =>
    openCalibration(undefined, { file, trusted: by }, TOLERANCES);
  expect((await open([trusted.address])).map(({ backend }) => backend)).toEqual(["cpu"]);
  expect(await open([])).toEqual([]);
  await writeFile(file, "no JSON");
  expect(await rejection(open([trusted.address]))).toMatchObject({
    code: "invalid_config",
    message: expect.stringContaining("records.json"),
  });
});

test("the embedded model's own records are those of its tolerances and weights", async () => {
  const entry = knownEntry("embedded");
  const records = await openCalibration(entry, undefined, decodeTolerances(entry?.tolerances));
  const manifest = entry?.weights?.find(({ precision }) => precision === "float32")?.manifest ?? "";
  const claim = { manifest, precision: "float32" as const, scheduler: "own" };
  expect(tailOf(records, claim, "cpu")).toMatchObject({
    backend: "chrome",
    tail: { scheduler: "own" },
  });
});
