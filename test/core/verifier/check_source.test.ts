import { expect, test } from "vitest";
import { toHalf } from "../../../core/half.ts";
import { compareSource, passesSource } from "../../../core/verifier/check_source.ts";

const SHAPE = [4, 32, 32] as const;
const LENGTH = 4 * 32 * 32;
/** Of mean square 1. */
const latent = Float32Array.from({ length: LENGTH }, (_, i) => i % 2 ? 1 : -1);

/** The source with this added at so many positions, on every channel. */
function compared(added: number, positions: number) {
  const source = latent.map((value, i) => i % 1024 < positions ? value + added : value);
  return compareSource({ latent: source }, {}, { latent: toHalf(latent) }, SHAPE);
}

test("the encoder's rounding on another host passes everywhere at once", () => {
  // What float16 weights come to at the furthest position of nine pictures.
  const all = compared(2.1e-3, 1024);
  expect(all.error).toBeCloseTo(2.1e-3, 4);
  expect(passesSource(all)).toBe(true);
});

test("a stamp of one position does not, though all of the latent is but 1 % off", () => {
  const stamp = compared(0.3, 1);
  // 0.3 / sqrt(1024) of the whole.
  expect(stamp.error).toBeCloseTo(0.3, 5);
  expect(passesSource(stamp)).toBe(false);
});

test("what is no number does not pass", () => {
  expect(passesSource(compared(NaN, 1))).toBe(false);
  expect(passesSource(compared(Infinity, 1))).toBe(false);
});
