import { expect, test } from "vitest";
import { VERSION, versionKey } from "../../../server/neuron/mod.ts";

test("the version is package.json's", async () => {
  const text = await Deno.readTextFile(new URL("../../../package.json", import.meta.url));
  expect(VERSION).toBe(JSON.parse(text).version);
});

// bittensor: version_as_int of 9.12.1 is 1000 * 9 + 10 * 12 + 1.
test.each([["0.1.0", 10n], ["1.0.0", 1000n], ["9.12.1", 9121n]])("%s is %i", (version, key) => {
  expect(versionKey(version)).toBe(key);
});
