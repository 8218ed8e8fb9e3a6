import { expect, test } from "vitest";
import { openStep } from "../../../core/prover/mod.ts";
import {
  type OpeningTarget,
  type Receipt,
  signReceipt,
  sketchesOf,
} from "../../../core/transcript/mod.ts";
import {
  checkOpening,
  checkReceipt,
  checkSketches,
  passesSketches,
} from "../../../core/verifier/mod.ts";
import schedulers from "../../golden/diffusers_schedulers.json" with { type: "json" };
import { type Sample, sample, signer, withSketch } from "../transcript/fixture.ts";

/** What the sketches say once all of these are opened. */
async function checked({ plan, source }: Sample, receipt: Receipt, targets: OpeningTarget[]) {
  const committed = checkReceipt(receipt, { plan });
  return checkSketches(
    await Promise.all(
      targets.map(async (target) =>
        checkOpening(await openStep(source, receipt, plan, target), committed, target)
      ),
    ),
  );
}

const latent = [4, 8, 8] as const;
const run = await sample({ steps: 12, latent });
const ALL = ["start", ...run.plan.rows.keys(), "end"] as OpeningTarget[];

test("an honest receipt's sketches are those of every opened tensor", async () => {
  expect(await checked(run, run.receipt, ALL)).toEqual({ otherPredictions: [], otherStates: [] });
});

// Every solver of the golden file: rounding alone must never look like a lie.
test.each(
  schedulers.map(({ scheduler, config, num_inference_steps }, k) =>
    [`${scheduler} ${k}`, { _class_name: scheduler, ...config }, num_inference_steps] as const
  ),
)("rounding stays within the bound: %s", async (_, config, steps) => {
  const each = await sample({ steps, latent: [4, 4, 4], config });
  const targets = ["start", ...each.plan.rows.keys()] as OpeningTarget[];
  expect(passesSketches(await checked(each, each.receipt, targets))).toBe(true);
});

// Of one number a step, and three of its bytes.
test("the sketches of 760 steps are of what was opened, a false one is not", async () => {
  const long = await sample({ steps: 760, latent: [4, 2, 2] });
  const targets: OpeningTarget[] = ["start", 400, "end"];
  const found = await checked(long, long.receipt, targets);
  expect(found).toEqual({ otherPredictions: [], otherStates: [] });
  const lie = (bytes: Uint8Array) => (bytes[3 * 400] ^= 1, bytes);
  const sketch = btoa(String.fromCharCode(...lie(sketchBytes(long.receipt))));
  const { signature: _, ...statement } = long.receipt;
  const lying = await signReceipt({ ...statement, version: 2, sketch }, signer);
  expect((await checked(long, lying, targets))?.otherPredictions).toEqual([400]);
});

function sketchBytes(receipt: Receipt): Uint8Array {
  const text = "sketch" in receipt ? receipt.sketch ?? "" : "";
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

test("a false sketch of an opened step is named, by a single bit", async () => {
  const lying = await withSketch(run.receipt, (numbers) => {
    new Uint8Array(numbers[4].buffer)[0] ^= 1;
  });
  const found = await checked(run, lying, ["start", 4]);
  expect(found?.otherPredictions).toEqual([4]);
});

// A state reads the predictions just before it, and the last one is what all of them lead to.
test.each([
  { lie: 7, opened: 8, found: [8] },
  { lie: 11, opened: "end" as const, found: [12] },
])("a false sketch of step $lie, not opened, is found by opening $opened", async (each) => {
  const lying = await withSketch(run.receipt, (numbers) => {
    numbers[each.lie].forEach((_, k, all) => all[k] += k % 2 ? 0.5 : -0.5);
  });
  const elsewhere = await checked(run, lying, ["start", 3]);
  expect(elsewhere).toEqual({ otherPredictions: [], otherStates: [] });
  const found = await checked(run, lying, ["start", 3, each.opened]);
  expect(found?.otherStates).toEqual(each.found);
  expect(passesSketches(found)).toBe(false);
});

test("receipts without sketches, of version 1 and early ones of version 2, are not held to any", async () => {
  for (const each of [await sample({ version: 1 }), await sample({ sketched: false })]) {
    expect(sketchesOf(each.receipt)).toBeUndefined();
    expect(await checked(each, each.receipt, ["start", "end"])).toBeUndefined();
  }
});
