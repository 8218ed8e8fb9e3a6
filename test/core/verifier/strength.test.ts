import { expect, test } from "vitest";
import { oddestStep } from "../../../core/verifier/mod.ts";
import { strengthOf } from "../../../core/verifier/strength.ts";
import { sketchesOf } from "../../../core/transcript/mod.ts";
import { sample } from "../transcript/fixture.ts";

const { receipt } = await sample({ steps: 20 });
const early = (await sample({ steps: 20, sketched: false })).receipt;
const oddest = oddestStep(sketchesOf(receipt) ?? []);

// Of 3 of 20: 1/18 at random; 1/5 + 4/5 * 1/18 = 0.244 among the last five.
test("a steered draw says how likely it finds one forged step, wherever it is", () => {
  const strength = strengthOf(receipt, 3, "private");
  expect(strength?.oddest).toBe(oddest);
  expect(strength?.findsOneForged).toBeCloseTo(1 / 18, 12);
  expect(strength?.findsOneForgedLate).toBeCloseTo(1 / 5 + 4 / 5 / 18, 12);
  expect(strength?.meaning).toBe(
    `3 of 20 steps recomputed, the oddest (${oddest}) among them; one forged step would be found ` +
      "with 6%, among the last 5 with 24%, and always where it is the oddest",
  );
});

test("a receipt without sketches is drawn evenly, and shows no odd step", () => {
  expect(strengthOf(early, 3, "public")).toEqual({
    findsOneForged: expect.closeTo(3 / 20, 12),
    meaning: "3 of 20 steps recomputed; one forged step would be found with 15% " +
      "(the receipt does not say which step is the oddest)",
  });
});

test("all steps leave nothing to chance, chosen ones say nothing of the others", () => {
  expect(strengthOf(receipt, 20, "private")).toEqual({
    findsOneForged: 1,
    meaning: "20 of 20 steps recomputed; one forged step would be found with 100%",
  });
  expect(strengthOf(receipt, 3, "chosen")).toEqual({
    meaning: "3 of 20 steps recomputed, as chosen: of the others nothing is known",
  });
  expect(strengthOf(receipt, 0, "private")).toBeUndefined();
});
