/**
 * Gaussian noise that anybody can draw again: Philox 4x32-10 keyed by the seed, then Box-Muller,
 * with the numbers of `torch.randn` on CUDA. Draw 0 is the first latent, draw i + 1 the noise of step i.
 * The reference on the CPU for `shaders/philox.wgsl` and `shaders/normal.wgsl`.
 *
 * ```ts
 * import { gaussianNoise } from "./mod.ts";
 *
 * const noise = gaussianNoise(7n, 0, 4096);
 * const again = gaussianNoise(7n, 0, 64);
 * console.assert(again.every((z, j) => z === noise[j]), "an element depends on its place alone");
 *
 * const variance = noise.reduce((sum, z) => sum + z * z, 0) / noise.length;
 * console.assert(Math.abs(variance - 1) < 0.1);
 * ```
 */
export { gaussianNoise } from "./gaussian.ts";
export { philox } from "./philox.ts";
