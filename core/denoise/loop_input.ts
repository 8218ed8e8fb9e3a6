import type { Plan, Source } from "../schedule/mod.ts";
import type { RunControl } from "./control.ts";
import type { LatentDims } from "./latent_dims.ts";
import type { Conditioning } from "../prompt/mod.ts";

/** A tensor that a transcript commits to, as float16 bits: u16[batch, channels, height, width]. */
export interface Leaf {
  /**
   * `s`: the source's latent, `m`: its mask, and `k`: what that keeps, each 0, where the run has them. `x`:
   * a state, 0 to N. `d`: a denoised prediction, 0 to N - 1.
   */
  readonly kind: "s" | "m" | "k" | "x" | "d";
  readonly index: number;
  readonly bits: Uint16Array<ArrayBuffer>;
}

export interface LoopEvents {
  /** Each leaf once, in the transcript's order: (s, m, k,) x0, d0, x1, d1, ..., xN. */
  readonly onLeaf?: (leaf: Leaf) => void;
  /** After a step, with D_i of each image as f32. */
  readonly onStep?: (index: number, denoised: readonly Float32Array[]) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds, from any origin. */
  readonly clock: () => number;
}

export interface LoopInput {
  readonly plan: Plan;
  readonly dims: LatentDims;
  /** One for each image. */
  readonly seeds: readonly bigint[];
  /** One for each image; either all have a negative prompt or none. */
  readonly conditionings: readonly Conditioning[];
  readonly guidanceScale: number;
  readonly guidanceRescale: number;
  /** SDXL's size conditioning. */
  readonly timeIds: readonly number[];
  /** Of the model's adapters, in their order. */
  readonly adapterScales: readonly number[];
  /** What all images start from, where the plan says so. Latent and mask are float16 numbers. */
  readonly source?: Source;
  /** ControlNets, for all images the same. */
  readonly control?: RunControl;
}

export interface LoopResult {
  /** x_N of each image, f32[channels, height, width] each. */
  readonly latents: readonly Float32Array[];
  /** Milliseconds in the network, one a step. */
  readonly networkMs: readonly number[];
  /** Milliseconds in noise, guidance, solver and rounding, all steps together. */
  readonly solverMs: number;
}
