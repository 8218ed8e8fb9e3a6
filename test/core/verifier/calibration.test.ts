import { expect, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { gaussianNoise } from "../../../core/noise/mod.ts";
import {
  calibrationOf,
  type CalibrationRecord,
  decodeCalibration,
  gainOf,
  schedulerKey,
  signCalibration,
  type SignedCalibration,
  tailOf,
  trustedRecords,
} from "../../../core/verifier/mod.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const MANIFEST = "ab".repeat(32);
const TOLERANCE = { precision: "float32" as const, points: [{ noise: 1, tolerance: 1e-3 }] };
const [trusted, other] = [openHotkey("1".repeat(64)), openHotkey("2".repeat(64))];

/** Twelve images of ten steps, log-normal around e^mean of the tolerance. */
function measured(backend: string, mean: number): Omit<CalibrationRecord, "hotkey"> {
  const noise = gaussianNoise(7n, 0, 120);
  const images = Array.from({ length: 12 }, (_, k) => ({
    scheduler: k % 2 ? "ddim" : "euler_a",
    ratios: Array.from(noise.subarray(10 * k, 10 * k + 10), (z) => Math.exp(mean + 0.4 * z)),
  }));
  const machine = { backend, device: `a library on a GPU (of a test)`, checkers: ["cpu"] };
  return calibrationOf(
    { manifest: MANIFEST, ...machine, tolerance: TOLERANCE, date: "2026-01-01" },
    images,
  );
}

const asFile = (records: readonly SignedCalibration[]) => JSON.parse(JSON.stringify({ records }));

test("a record says how far honest machines are from the tolerance", () => {
  const { images, steps, quantiles, tails } = measured("chrome", -2);
  expect([images, steps]).toEqual([12, 120]);
  // e^-2 of the tolerance in the median, e^(1.645 * 0.4) of that at 95 %.
  expect(Math.log(quantiles.p50)).toBeCloseTo(-2, 0);
  expect(quantiles.p5).toBeLessThan(quantiles.p50);
  expect(quantiles.max).toBeGreaterThanOrEqual(quantiles.p99);
  expect(tails.map(({ scheduler }) => scheduler)).toEqual(["euler_a", "ddim"]);
  for (const { floor } of tails) expect(Math.abs(floor + 2)).toBeLessThan(0.3);
});

test("records of a trusted hotkey count, those of others and of nobody do not", async () => {
  const records = [
    await signCalibration(measured("chrome", -2), trusted),
    await signCalibration(measured("native", -1), other),
    await signCalibration(measured("cpu", -1), undefined),
  ];
  const read = decodeCalibration(asFile(records));
  expect(read).toEqual(records);
  expect(trustedRecords(read, [trusted.address]).map(({ backend }) => backend)).toEqual(["chrome"]);
  expect(trustedRecords(read, [])).toEqual([]);
});

test("a record that was changed, or signed by another, is refused by name", async () => {
  const { record, signature } = await signCalibration(measured("chrome", -2), trusted);
  const wider = { ...record, tails: record.tails.map((tail) => ({ ...tail, floor: -0.1 })) };
  for (const forged of [{ record: wider, signature }, { record }]) {
    expect(thrownBy(() => trustedRecords([forged], [trusted.address]))).toMatchObject({
      code: "signature_invalid",
      message: expect.stringContaining("of chrome: its signature is not that of"),
    });
  }
});

test("a file that is none names the field", () => {
  const records = [{ record: { ...measured("chrome", -2), steps: 0 } }];
  expect(thrownBy(() => decodeCalibration({ records }))).toMatchObject({
    code: "invalid_config",
    message: expect.stringMatching(
      /^Cannot read the calibration records: records\.0\.record\.steps is 0/,
    ),
  });
});

test("a claim is held against its own backend and scheduler", () => {
  const records = [measured("native", -3), measured("chrome", -2), measured("cpu", -4)];
  const claim = { manifest: MANIFEST, precision: "float32" as const, scheduler: "ddim" };
  const [native, chrome, cpu] = records.map(({ tails }) => tails[1]);
  const named = (host: string, adapter: string) => ({ ...claim, backend: { host, adapter } });
  expect(tailOf(records, named("native", "a GPU"), "cpu")).toEqual({
    backend: "native",
    tail: native,
  });
  expect(tailOf(records, named("cpu", "cpu"), "cpu")).toEqual({ backend: "cpu", tail: cpu });
  // A miner that may choose its claim would choose this one.
  expect(tailOf(records, claim, "cpu")).toEqual({ backend: "chrome", tail: chrome });
  expect(tailOf(records, named("unknown", "a GPU"), "cpu")).toEqual(tailOf(records, claim, "cpu"));
  expect(tailOf(records, named("native", "another GPU"), "cpu")).toEqual(
    tailOf(records, claim, "cpu"),
  );
  expect(records[1].tails).toContainEqual(
    tailOf(records, { ...claim, scheduler: "a written-out one" }, "cpu")?.tail,
  );
  // Measured on the CPU alone: another checker has errors of its own.
  expect(tailOf(records, named("native", "a GPU"), "chrome")).toEqual(
    tailOf(records, claim, "chrome"),
  );
  expect(tailOf(records, { ...claim, precision: "float16" }, "cpu")).toBeUndefined();
  expect(tailOf(records, { ...claim, manifest: "cd".repeat(32) }, "cpu")).toBeUndefined();
});

test("whatever backend a miner names, no more passes than where it names none", () => {
  const [wide, narrow] = [measured("chrome", -2), measured("native", -3)];
  // Measured with one scheduler alone, and laxer than all others.
  const lax = { ...measured("cpu", -1), tails: [measured("cpu", -1).tails[0]] };
  const records = [wide, narrow, lax];
  for (const scheduler of ["ddim", "euler_a", "unipc"]) {
    const claim = { manifest: MANIFEST, precision: "float32" as const, scheduler };
    const unnamed = tailOf(records, claim, "cpu");
    for (const host of ["cpu", "native", "chrome", "browser"]) {
      const named = tailOf(records, { ...claim, backend: { host, adapter: "cpu" } }, "cpu");
      // A check that is as far off as this stands out at least as much.
      for (const ratio of [0.05, 0.2, 0.8]) {
        const stands = [unnamed, named].map((each) =>
          each && gainOf(Array(3).fill(ratio), each.tail)
        );
        expect(stands[1], `${scheduler} ${host}`).toBeGreaterThanOrEqual(Number(stands[0]));
      }
    }
  }
});

test("schedulerKey: a name, the model's own, and none for what is written out", () => {
  expect(schedulerKey("ddim")).toBe("ddim");
  expect(schedulerKey(undefined)).toBe("own");
  expect(schedulerKey({ _class_name: "DDIMScheduler" })).toBeUndefined();
});
