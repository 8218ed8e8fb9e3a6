import { expect, test } from "vitest";
import { cos, exp, expm1, log, power } from "../../../core/schedule/portable_math.ts";

/** The distance in units of the last place of the expected number. */
function ulps(actual: number, expected: number): number {
  if (Object.is(actual, expected)) return 0;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(expected))), -1022);
  return Math.abs(actual - expected) / 2 ** (exponent - 52);
}

/** Spread over a range, never on a round number. */
const spread = (from: number, to: number) =>
  Array.from({ length: 20_000 }, (_, i) => from + (to - from) * ((i * 0.6180339887498949) % 1));

// The engine's own functions are within one unit of the last place themselves.
test.each<[string, (x: number) => number, (x: number) => number, number[]]>([
  ["exp", exp, Math.exp, spread(-700, 700)],
  ["exp near zero", exp, Math.exp, spread(-1e-3, 1e-3)],
  ["expm1", expm1, Math.expm1, spread(-30, 30)],
  ["expm1 near zero", expm1, Math.expm1, spread(-0.5, 0.5)],
  ["log", log, Math.log, spread(1e-5, 20)],
  ["log near one", log, Math.log, spread(0.99, 1.01)],
  ["log of anything", log, Math.log, spread(-700, 700).map(Math.exp)],
])("%s is within 3 units in the last place", (_, own, engine, xs) => {
  expect(Math.max(...xs.map((x) => ulps(own(x), engine(x))))).toBeLessThan(3);
});

test("power and cos agree with the engine's", () => {
  const powers = spread(0.01, 20).map((x) => ulps(power(x, 7), x ** 7));
  expect(Math.max(...powers)).toBeLessThan(40);
  const roots = spread(0.01, 20).map((x) => ulps(power(x, 1 / 7), x ** (1 / 7)));
  expect(Math.max(...roots)).toBeLessThan(4);
  const cosines = spread(-2, 2).map((x) => Math.abs(cos(x) - Math.cos(x)));
  expect(Math.max(...cosines)).toBeLessThan(2 ** -51);
});

test("the ends are those of the real functions", () => {
  expect([exp(0), exp(-Infinity), exp(Infinity), exp(NaN)]).toEqual([1, 0, Infinity, NaN]);
  expect([expm1(0), expm1(-Infinity), expm1(Infinity)]).toEqual([0, -1, Infinity]);
  expect([log(1), log(0), log(Infinity), log(-1)]).toEqual([0, -Infinity, Infinity, NaN]);
  expect([power(0, 0.5), power(0, 0), power(2, 0)]).toEqual([0, 1, 1]);
  expect(cos(0)).toBe(1);
});
