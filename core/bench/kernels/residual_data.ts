import { fromHalf, toHalf } from "../../half.ts";
import { noise } from "./data.ts";
import { type BenchSize, itemsOf } from "../report/mod.ts";

const ALPHA = 0.8;

/** Five tensors f32[pairs, n] that hold float16 where they are claimed. */
export function residualData(size: BenchSize) {
  const n = itemsOf("latent", size);
  const all = n * size.batch;
  const claimed = [0, 1, 2].map((draw) => fromHalf(toHalf(noise(draw, all))));
  const near = (values: Float32Array, draw: number) => {
    const error = noise(draw, all);
    return values.map((value, j) => value + 1e-2 * error[j]);
  };
  const [state, denoised, next] = claimed;
  const tensors = {
    state,
    denoised,
    next,
    denoisedAgain: near(denoised, 3),
    nextAgain: near(next, 4),
  };
  return { n, all, pairs: size.batch, alpha: ALPHA, tensors };
}

export type ResidualData = ReturnType<typeof residualData>;

/** Three tensors in f16 and two in f32 are read once. */
export function residualBytes(elements: number): number {
  return elements * (3 * 2 + 2 * 4);
}
