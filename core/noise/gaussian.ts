import { AppError } from "../error.ts";
import { philox } from "./philox.ts";

const TWO_PI = 2 * Math.PI;
const UNIT = 2 ** -32;
const MAX_SEED = 2n ** 64n - 1n;

/** @throws AppError `invalid_request` unless the seed fits Philox' 64-bit key. */
function splitSeed(seed: bigint): readonly [number, number] {
  if (seed < 0n || seed > MAX_SEED) {
    throw new AppError("invalid_request", `Cannot draw noise: seed is ${seed}, not in 0..2^64-1`);
  }
  return [Number(seed & 0xffffffffn), Number(seed >> 32n)];
}

/**
 * Unit Gaussian noise: Philox 4x32-10 with key = seed and counter = (draw, 0, element, 0), then
 * Box-Muller on the first two words. The same numbers as `torch.randn` on CUDA for tensors of our
 * size; `shaders/philox_normal.wgsl` is tested against this. Draw 0 is the initial latent of a
 * generation, draw i + 1 the noise of its step i.
 * @param seed 64 bits, unsigned.
 * @param draw 32 bits, unsigned: which tensor of this seed.
 * @returns f32[length], mean 0, variance 1; element e depends on (seed, draw, e) alone.
 * @throws AppError `invalid_request` when the seed is out of range.
 */
export function gaussianNoise(
  seed: bigint,
  draw: number,
  length: number,
): Float32Array<ArrayBuffer> {
  const [key0, key1] = splitSeed(seed);
  const block = new Uint32Array(4);
  const values = new Float32Array(length);
  for (let element = 0; element < length; element++) {
    block[0] = draw;
    block[1] = 0;
    block[2] = element;
    block[3] = 0;
    philox(block, key0, key1);
    // The half keeps u above zero, where the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log((block[0] + 0.5) * UNIT));
    values[element] = radius * Math.sin((block[1] + 0.5) * UNIT * TWO_PI);
  }
  return values;
}
