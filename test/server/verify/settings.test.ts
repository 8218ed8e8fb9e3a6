import { expect, test } from "vitest";
import { chooseSteps } from "../../../core/verifier/mod.ts";
import { parseSteps } from "../../../server/verify/settings.ts";
import { codeOf } from "../../core/transcript/hostile.ts";
import { sample } from "../../core/transcript/fixture.ts";

const { receipt } = await sample({ steps: 10 });
const block = "03".repeat(32);
const choose = (steps?: string, hash?: string) => chooseSteps(receipt, parseSteps(steps, hash));

test.each([
  ["all", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ["7,2,2", [2, 7]],
  ["4,", [4]],
])("--steps %s takes %j", (text, steps) => {
  expect(choose(text)).toEqual({ steps, draw: "chosen" });
});

test("--block-hash draws the same steps for everybody, and others by another block", () => {
  const draws = ["03", "03", "04", "05"].map((byte) => {
    const { steps, ...rest } = choose("4", byte.repeat(32));
    expect(rest).toEqual({ draw: "public", blockHash: byte.repeat(32) });
    return steps.join();
  });
  expect(draws[1]).toBe(draws[0]);
  expect(choose("4", `0x${block}`).steps.join()).toBe(draws[0]);
  expect(new Set(draws).size).toBeGreaterThan(1);
});

test("without --steps three are drawn, or all of a shorter run", async () => {
  const short = await sample({ steps: 2 });
  expect(choose().steps).toHaveLength(3);
  expect(chooseSteps(short.receipt, {})).toEqual({ steps: [0, 1], draw: "private" });
});

test.each([
  ["11", undefined, "challenge_invalid"],
  ["0", undefined, "challenge_invalid"],
  ["3,10", undefined, "challenge_invalid"],
  ["1,2", block, "invalid_request"],
  ["all", block, "invalid_request"],
  ["3", "0x1234", "invalid_request"],
  ["3", "", "invalid_request"],
])("--steps %s with block %o is refused", (text, hash, code) => {
  expect(codeOf(() => choose(text, hash))).toBe(code);
});
