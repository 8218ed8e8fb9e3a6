import { expect, test } from "vitest";
import { expandKeywords } from "../../../core/prompt/keywords.ts";

test.each([
  ["bittensor", "tau symbol"],
  ["a Bittensor logo on fire", "a tau symbol on fire"],
  ["BITTENSOR SYMBOL", "tau symbol"],
  ["tao", "tau symbol"],
  ["the TAO logo, gold", "the tau symbol, gold"],
  ["tau symbol", "tau symbol"],
  ["tau logo and tao", "tau symbol and tau symbol"],
  ["taoism, restaurant, tauren, bittensors", "taoism, restaurant, tauren, bittensors"],
  ["bittensor bittensor", "tau symbol tau symbol"],
  ["", ""],
])("expandKeywords writes %j as %j", (prompt, expected) => {
  expect(expandKeywords(prompt)).toBe(expected);
});
