import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHalf, halfBits, toHalf } from "../../../core/half.ts";
import type { Term } from "../../../core/schedule/mod.ts";
import { checkCombination } from "../../../core/verifier/mod.ts";

const f32 = Math.fround;
const half = fc.double({ min: -60, max: 60, noNaN: true }).map((value) =>
  fromHalf(toHalf(Float32Array.of(value)))[0]
);
const weight = fc.double({ min: -30, max: 30, noNaN: true });
const sums = fc.array(fc.tuple(weight, half), { minLength: 1, maxLength: 8 });

const terms = (list: readonly (readonly [number, number])[]): Term[] =>
  list.map(([w, value]) => [w, Float32Array.of(value)]);

/** To one of the two float32 neighbours, as WGSL allows. */
function loose(value: number, up: boolean): number {
  const near = f32(value);
  if (near === value) return near;
  const step = Math.max(Math.abs(near) * 2 ** -23, 2 ** -149);
  const [low, high] = near < value ? [near, f32(near + step)] : [f32(near - step), near];
  return up ? high : low;
}

/** Float32 as hardware may do it: terms in any order, each operation rounded either way. */
function hardwareSum(list: readonly (readonly [number, number])[], up: readonly boolean[]): number {
  let sum = 0;
  list.forEach(([w, value], k) => {
    sum = loose(sum + loose(f32(w) * value, up[2 * k]), up[2 * k + 1]);
  });
  return sum;
}

test("checkCombination passes every float32 evaluation, in any order and rounding", () => {
  const ways = fc.array(fc.boolean(), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(sums, ways, (list, up) => {
      for (const order of [list, list.toReversed()]) {
        const committed = Uint16Array.of(halfBits(hardwareSum(order, up)));
        expect(checkCombination(committed, { terms: terms(list) }).outside).toBe(0);
      }
    }),
    { numRuns: 3000 },
  );
});

test("checkCombination passes noise that differs by 2e-6, as GPU and CPU do", () => {
  const noise = fc.double({ min: -6, max: 6, noNaN: true });
  const error = fc.double({ min: -2e-6, max: 2e-6, noNaN: true });
  fc.assert(
    fc.property(weight, half, weight, noise, error, (w, x, wz, z, e) => {
      const committed = Uint16Array.of(halfBits(f32(f32(f32(w) * x) + f32(f32(wz) * f32(z + e)))));
      const check = checkCombination(committed, {
        terms: terms([[w, x]]),
        noise: [wz, Float32Array.of(z)],
      });
      expect(check.outside).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test("checkCombination counts what is two float16 steps off", () => {
  // Positive terms: where terms cancel, float32 itself is not that exact.
  const positive = fc.double({ min: 0.1, max: 30, noNaN: true });
  const addends = fc.array(
    fc.tuple(positive, positive.map((v) => fromHalf(toHalf(Float32Array.of(v)))[0])),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(fc.property(addends, fc.constantFrom(-2, 2), (list, off) => {
    const exact = list.reduce((sum, [w, value]) => sum + w * value, 0);
    const committed = Uint16Array.of(halfBits(exact) + off);
    expect(checkCombination(committed, { terms: terms(list) })).toEqual({
      length: 1,
      differing: 1,
      maxUlps: 2,
      outside: 1,
    });
  }));
});

test("checkCombination takes both zeros for one and refuses the smallest numbers for it", () => {
  const zero = { terms: [[1, new Float32Array(3)]] as Term[] };
  expect(checkCombination(Uint16Array.of(0, 0x8000, 0), zero).differing).toBe(0);
  expect(checkCombination(Uint16Array.of(1, 0x8001, 0), zero).outside).toBe(2);
});
