import type { Variable } from "../onnx/mod.ts";
import type { Network } from "./network.ts";

/** A turn in parts: the first two times a few hundred turns are exact in float32. */
const TURN = [6.28125, 4058 / 2 ** 21, 2 * Math.PI - 6.28125 - 4058 / 2 ** 21];

/** Of Taylor's series up to the 13th and 14th power: below 1e-9 off within a quarter of a turn. */
const SINE = series(1, 7);
const COSINE = series(0, 8);

/** Coefficients of even or odd powers, the highest first. */
function series(lowest: 0 | 1, terms: number): readonly number[] {
  const factorial = (n: number): number => n < 2 ? 1 : n * factorial(n - 1);
  return Array.from({ length: terms }, (_, i) => (-1) ** i / factorial(lowest + 2 * i))
    .toReversed();
}

/**
 * Sines and cosines, to float32's digits on every device: a GPU's own are for angles near 0, and off by
 * as much as 1e-3 at the hundreds of radians of a timestep.
 * @param angles float32, of up to a few hundred turns.
 */
export function sineAndCosine(
  net: Network,
  angles: Variable,
): { readonly sine: Variable; readonly cosine: Variable } {
  const { g } = net;
  const number = (value: number) => g.constant("float32", [value], []);
  const times = (x: Variable, factor: number) => net.mul(x, number(factor));
  const turns = g.op("Floor", [net.add(times(angles, 1 / (2 * Math.PI)), number(0.5))]);
  const rest = TURN.reduce((left, part) => g.op("Sub", [left, times(turns, part)]), angles);

  // Of half the angle, and from there of the whole: the series are short.
  const half = times(rest, 0.5);
  const square = net.mul(half, half);
  const polynomial = ([first, ...others]: readonly number[]) =>
    others.reduce((sum, next) => net.add(net.mul(sum, square), number(next)), number(first));
  const sineOfHalf = net.mul(half, polynomial(SINE));
  const sine = times(net.mul(sineOfHalf, polynomial(COSINE)), 2);
  const cosine = g.op("Sub", [number(1), times(net.mul(sineOfHalf, sineOfHalf), 2)]);
  return { sine, cosine };
}
