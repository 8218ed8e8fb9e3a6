import { expect, test } from "vitest";
import { chooseSteps, parseSteps } from "../../server/verify/settings.ts";
import { codeOf } from "../core/transcript/hostile.ts";
import { sample } from "../core/transcript/fixture.ts";

const { receipt } = await sample({ steps: 10 });
const block = new Uint8Array(32).fill(3);

test.each([
  ["all", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ["7,2,2", [2, 7]],
  ["4,", [4]],
])("--steps %s takes %j", (text, steps) => {
  expect(chooseSteps(receipt, parseSteps(text), undefined)).toEqual(steps);
});

test("--block-hash draws the same steps for everybody, and others by another block", () => {
  const draws = [3, 3, 4, 5].map((fill) =>
    chooseSteps(receipt, parseSteps("4"), new Uint8Array(32).fill(fill)).join()
  );
  expect(draws[1]).toBe(draws[0]);
  expect(new Set(draws).size).toBeGreaterThan(1);
});

test("without --steps three are drawn, or all of a shorter run", async () => {
  const short = await sample({ steps: 2 });
  expect(chooseSteps(receipt, parseSteps(undefined), undefined)).toHaveLength(3);
  expect(chooseSteps(short.receipt, parseSteps(undefined), undefined)).toEqual([0, 1]);
});

test.each([
  ["11", undefined, "challenge_invalid"],
  ["0", undefined, "challenge_invalid"],
  ["3,10", undefined, "challenge_invalid"],
  ["1,2", block, "invalid_request"],
  ["all", block, "invalid_request"],
])("--steps %s with block %o is refused", (text, hash, code) => {
  expect(codeOf(() => chooseSteps(receipt, parseSteps(text), hash))).toBe(code);
});
