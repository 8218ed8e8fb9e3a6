import { expect, test } from "vitest";
import {
  fromBfloat16,
  fromHalf,
  halfBits,
  roundHalf,
  toBfloat16,
  toHalf,
} from "../../core/half.ts";

// The engine's own Float16Array is the reference: ECMAScript 2025 defines it as IEEE binary16.
const one = new Float16Array(1);
const oneBits = new Uint16Array(one.buffer);
function engine(value: number): number {
  one[0] = value;
  return oneBits[0];
}

test("fromHalf gives the value of all 65,536 patterns, toHalf gives the pattern back", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const values = fromHalf(bits);
  const expected = new Float16Array(bits.buffer);
  const back = toHalf(values);
  const wrong = [...bits].filter((i) =>
    !Object.is(values[i], expected[i]) || !Number.isNaN(values[i]) && back[i] !== i
  );
  expect(wrong).toEqual([]);
});

test.each([
  0,
  -0,
  1,
  1 / 3,
  65504,
  65519.99,
  65520,
  1e30,
  -1e30,
  Infinity,
  -Infinity,
  2 ** -24,
  2 ** -25,
  1.5 * 2 ** -25,
  2 ** -26,
  2 ** -14,
  2 ** -14 - 2 ** -25,
  6.1e-5,
  1e-40,
  1 + 2 ** -11,
  1 + 3 * 2 ** -11,
  1 + 2 ** -11 + 2 ** -20,
  2049,
  2051,
])("halfBits(%s) rounds as the engine does, ties to even", (value) => {
  expect(halfBits(value)).toBe(engine(Math.fround(value)));
});

test("halfBits keeps NaN a NaN", () => {
  expect(fromHalf(Uint16Array.of(halfBits(NaN)))[0]).toBeNaN();
});

test("halfBits rounds a million spread floats as the engine does", () => {
  const words = new Uint32Array(1);
  const floats = new Float32Array(words.buffer);
  let wrong = 0;
  for (let i = 0; i < 1_000_000; i++) {
    words[0] = Math.imul(i, 0x9e3779b1);
    if (!Number.isNaN(floats[0]) && halfBits(floats[0]) !== engine(floats[0])) wrong++;
  }
  expect(wrong).toBe(0);
});

test("roundHalf is idempotent and works in place", () => {
  const values = Float32Array.of(0.1, -3.3333, 1e-7, 7e4);
  const once = roundHalf(values);
  expect(once).toBe(values);
  expect(roundHalf(once.slice())).toEqual(once);
});

test("toBfloat16 gives each pattern back, and rounds to the nearest, ties to even", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const values = fromBfloat16(bits);
  const back = toBfloat16(values);
  for (let i = 0; i < 65536; i++) {
    if (Number.isNaN(values[i])) expect(fromBfloat16(back.slice(i, i + 1))[0]).toBeNaN();
    else expect(back[i]).toBe(i);
  }
  // Eight bits of precision: neighbours of 1 are 2^-7 apart.
  const near = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, 3.4e38);
  expect([...fromBfloat16(toBfloat16(near))]).toEqual([1, 1 + 2 ** -6, 1 + 2 ** -7, Infinity]);
});
