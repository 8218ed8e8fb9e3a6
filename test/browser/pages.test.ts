import { expect, test } from "vitest";
import { pageOf, parametersOf } from "../../browser/app/api/mod.ts";

test.each([
  ["", "verify"],
  ["#/create?image=ab", "create"],
  ["#/explore", "explore"],
  ["#/nowhere", "verify"],
  // As pages were called before there were rooms.
  ["#/check?miner=x", "verify"],
  ["#/generate", "create"],
])("the address %s shows the page %s", (hash, page) => {
  expect(pageOf(hash)).toBe(page);
});

test("what an address leads to is read behind its question mark", () => {
  expect(parametersOf("#/verify?receipt=ab&token=c").get("receipt")).toBe("ab");
  expect([...parametersOf("#/verify")]).toEqual([]);
});
