import { initSync, tld, tle } from "@ideallabs/timelock_wasm_wrapper";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  decodeWeights,
  decryptWithSignature,
  encodeWeights,
  encryptToRound,
  identityOf,
} from "../../../../server/chain/timelock/mod.ts";
import { rejection } from "../../../fixtures/rejection.ts";

// drand quicknet's key, and its signature of round 1000 as its beacons publish it.
const PUBLIC_KEY = Uint8Array.fromHex(
  "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451" +
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
);
const SIGNATURE = Uint8Array.fromHex(
  "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
);
const message = new TextEncoder().encode("weights of somebody");

test("round trip with quicknet's round 1000", () => {
  const sealed = encryptToRound(message, PUBLIC_KEY, 1000n);
  expect(decryptWithSignature(sealed, SIGNATURE)).toEqual(message);
});

describe("against the wasm of the library that the runtime pins (@ideallabs/timelock 1.0.0)", () => {
  beforeAll(() => {
    const library = "node_modules/@ideallabs/timelock_wasm_wrapper";
    initSync({ module: Deno.readFileSync(`${library}/timelock_wasm_wrapper_bg.wasm`) });
  });

  test("it opens what we seal", () => {
    const sealed = encryptToRound(message, PUBLIC_KEY, 1000n);
    expect(Uint8Array.from(tld(sealed, SIGNATURE, "bls12_381"))).toEqual(message);
  });

  test("we open what it seals", () => {
    const key = crypto.getRandomValues(new Uint8Array(32));
    const round = new Uint8Array(8);
    new DataView(round.buffer).setBigUint64(0, 1000n);
    const sealed = tle(sha256(round), message, key, PUBLIC_KEY, "bls12_381");
    expect(decryptWithSignature(Uint8Array.from(sealed), SIGNATURE)).toEqual(message);
  });
});

test("another round's signature opens nothing", () => {
  const sealed = encryptToRound(message, PUBLIC_KEY, 1001n);
  expect(() => decryptWithSignature(sealed, SIGNATURE)).toThrow(/timelocked commit/);
});

test("no changed byte is opened as if it were whole (property)", () => {
  const sealed = encryptToRound(message, PUBLIC_KEY, 1000n);
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = sealed.slice();
      altered[at] ^= change;
      let opened: Uint8Array | undefined;
      try {
        opened = decryptWithSignature(altered, SIGNATURE);
      } catch (error) {
        expect(error).toMatchObject({ code: "commit_invalid" });
      }
      // The cipher's name, the last 16 bytes, is not covered, and says nothing.
      if (opened) expect(at).toBeGreaterThanOrEqual(sealed.length - 16);
    }),
    { numRuns: 12 },
  );
});

test("weights of 256 neurons are under the chain's 5,000 bytes", () => {
  const uids = Array.from({ length: 256 }, (_, uid) => uid);
  const payload = { hotkey: new Uint8Array(32).fill(7), uids, values: uids, versionKey: 3n };
  const encoded = encodeWeights(payload);
  // compact(32) 32 | compact(256) 512 | compact(256) 512 | u64
  expect(encoded.length).toBe(1 + 32 + 2 + 512 + 2 + 512 + 8);
  expect(decodeWeights(encoded)).toEqual(payload);
  expect(encryptToRound(encoded, PUBLIC_KEY, 1000n).length).toBeLessThan(1400);
});

test("a payload that is none is refused", async () => {
  const error = await rejection(Promise.try(() => decodeWeights(new Uint8Array([4, 1]))));
  expect(error).toMatchObject({ code: "commit_invalid" });
});

test("the identity of a round is what quicknet signed", async () => {
  const { bls12_381 } = await import("@noble/curves/bls12-381.js");
  const key = bls12_381.G2.Point.fromBytes(PUBLIC_KEY);
  const left = bls12_381.pairing(bls12_381.G1.Point.fromBytes(SIGNATURE), bls12_381.G2.Point.BASE);
  const right = bls12_381.pairing(identityOf(1000n), key);
  expect(bls12_381.fields.Fp12.eql(left, right)).toBe(true);
});
