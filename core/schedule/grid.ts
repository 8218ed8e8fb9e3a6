/**
 * Grids rounded as numpy and torch round them. Timesteps are an input of the network, so a last bit
 * matters: it decides which way a rounding goes.
 */

const f32 = Math.fround;

/** numpy's `linspace`: `num` values from `start` to `stop`, both included when num > 1. */
export function linspace(start: number, stop: number, num: number): number[] {
  const step = (stop - start) / (num - 1);
  return Array.from(
    { length: num },
    (_, i) => i === num - 1 && num > 1 ? stop : i === 0 ? start : i * step + start,
  );
}

// torch fills float32 ranges eight lanes at a time: the first lane with one rounding, the others
// by steps from it. The last bit of the training betas comes from this.
const LANES = 8;

/** torch's float32 `linspace`, from whichever end is nearer. */
export function linspaceFloat32(start: number, stop: number, num: number): number[] {
  const [a, b] = [f32(start), f32(stop)];
  if (num === 1) return [a];
  const step = f32(f32(b - a) / (num - 1));
  const at = (i: number) => f32(i < Math.floor(num / 2) ? a + step * i : b - step * (num - i - 1));
  const lanes = num - num % LANES;
  return Array.from({ length: num }, (_, i) => {
    const lane = i < lanes ? i % LANES : 0;
    return lane === 0 ? at(i) : f32(at(i - lane) + f32(step * lane));
  });
}

/** numpy's `interp` over the knots 0, 1, 2, ...: held constant beyond both ends. */
export function interpolate(values: readonly number[], at: number): number {
  if (at <= 0) return values[0];
  if (at >= values.length - 1) return values[values.length - 1];
  const low = Math.floor(at);
  return (values[low + 1] - values[low]) * (at - low) + values[low];
}

/** Halves go to the even neighbour, as in numpy. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
