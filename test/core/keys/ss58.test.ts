import { hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSs58, encodeSs58 } from "../../../core/keys/mod.ts";
import { codeOf } from "../transcript/hostile.ts";

// Substrate's development accounts, from its documentation (`subkey inspect //Alice`, `//Bob`).
const KNOWN = [
  [
    "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
  ],
  [
    "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
    "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48",
  ],
] as const;

test.each(KNOWN)("%s is the address of its key", (address, key) => {
  expect(decodeSs58(address)).toEqual(hexToBytes(key));
  expect(encodeSs58(hexToBytes(key))).toBe(address);
});

test("decodeSs58 reads what encodeSs58 writes", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
    expect([...decodeSs58(encodeSs58(key))]).toEqual([...key]);
  }));
});

test.each([
  ["a wrong letter", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX"],
  ["another network", "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"],
  ["letters outside base 58", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKut0O"],
  ["a leading 1", "15GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"],
  ["nothing", ""],
  ["a million letters", "5".repeat(1_000_000)],
])("decodeSs58 refuses %s", (_, address) => {
  expect(codeOf(() => decodeSs58(address))).toBe("address_invalid");
});

test("decodeSs58 meets noise with one error", () => {
  const letters = fc.string({
    unit: fc.constantFrom(..."1359AZaz0Il"),
    minLength: 44,
    maxLength: 50,
  });
  fc.assert(fc.property(fc.oneof(fc.string(), letters), (text) => {
    expect(codeOf(() => decodeSs58(text))).toBe("address_invalid");
  }));
});
