import { getPublicKey, secretFromSeed, sign } from "@scure/sr25519";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { stepLatent } from "../../../core/denoise/step.ts";
import { roundHalf, toHalf } from "../../../core/half.ts";
import { gaussianNoise } from "../../../core/noise/mod.ts";
import { type Plan, planFromConfig } from "../../../core/schedule/mod.ts";
import { encodeSs58, type Signer } from "../../../core/keys/mod.ts";
import {
  type Hash,
  type LatentShape,
  manifestHash,
  planHash,
  type PredictionSketch,
  type Receipt,
  RECEIPT_VERSION,
  type ReceiptVersion,
  signReceipt,
  sketchesOf,
  type TensorLeaf,
  TranscriptBuilder,
} from "../../../core/transcript/mod.ts";
import type { LeafSource } from "../../../core/prover/mod.ts";

/** The subnet's default solver. */
export const SDE_CONFIG = {
  _class_name: "DPMSolverMultistepScheduler",
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  algorithm_type: "sde-dpmsolver++",
  use_karras_sigmas: true,
};

const secret = secretFromSeed(new Uint8Array(32).fill(7));
const MINER = encodeSs58(getPublicKey(secret));

/** The signature's own randomness is fixed, so that vectors repeat. */
export const signer: Signer = (message) =>
  Promise.resolve(sign(secret, message, new Uint8Array(32).fill(9)));

export interface Sample {
  readonly plan: Plan;
  readonly receipt: Receipt;
  readonly source: LeafSource;
  readonly leaves: readonly Uint8Array<ArrayBuffer>[];
  readonly hashes: readonly Hash[];
  readonly image: Uint8Array<ArrayBuffer>;
}

export interface SampleOptions {
  readonly steps?: number;
  readonly latent?: LatentShape;
  readonly seed?: bigint;
  readonly config?: object;
  /** The newest by default. */
  readonly version?: ReceiptVersion;
  /** The image's file, of 32x32 pixels by default; no image at all, where none is read. */
  readonly image?: Uint8Array<ArrayBuffer>;
  /** Whether its predictions are sketched, as they are by default in version 2. */
  readonly sketched?: boolean;
  /** Changes a leaf before it is committed: a cheat. */
  readonly forge?: (leaf: TensorLeaf) => TensorLeaf;
}

const FILES = { "unet/model.onnx": "00".repeat(32), "model_index.json": "11".repeat(32) };

/** A whole generation by the loop's own arithmetic, with noise in the network's place. */
export async function sample(options: SampleOptions = {}): Promise<Sample> {
  const { steps = 5, latent = [4, 4, 4], seed = 42n, config = SDE_CONFIG } = options;
  const { version = RECEIPT_VERSION, sketched = version === 2 } = options;
  const forge = options.forge ?? ((leaf) => leaf);
  const plan = planFromConfig(config, steps);
  const builder = new TranscriptBuilder(latent);
  const leaves = tensors(plan, latent, seed).map((leaf) => builder.add(forge(leaf)).slice());
  const image = options.image ?? new TextEncoder().encode("the image's file");
  const { root, hashes, sketch } = builder.finish(image, plan.rows.length);
  const [, height, width] = latent;
  const receipt = await signReceipt({
    ...(sketched ? { version: 2 as const, sketch } : { version }),
    request: {
      ...{ prompt: "a red τ", prompt2: "", negativePrompt: "", negativePrompt2: "" },
      ...{ width: 8 * width, height: 8 * height, steps, guidanceScale: 7.5, seed: String(seed) },
      ...{ batch: 1, expandKeywords: true },
    },
    model: { id: "tau-tiny", manifest: manifestHash(FILES), precision: "float32" },
    plan: planHash(plan, version),
    steps: plan.rows.length,
    latent: [...latent],
    root: bytesToHex(root),
    image: { sha256: bytesToHex(sha256(image)), mediaType: "image/png", bytes: image.length },
    miner: MINER,
    times: { started: 1_790_000_000_000, finished: 1_790_000_004_000 },
  }, signer);
  const all = [...leaves, image];
  const source = { hashes, leaf: (position: number) => Promise.resolve(all[position]) };
  return { plan, receipt, source, leaves: all, hashes, image };
}

/** x_0, D_0, x_1, ..., x_N as the loop commits them. */
function tensors(plan: Plan, latent: LatentShape, seed: bigint): TensorLeaf[] {
  const length = latent.reduce((product, side) => product * side, 1);
  const first = gaussianNoise(seed, 0, length).map((value) => plan.initialScale * value);
  let states: Float32Array[] = [roundHalf(first)];
  let denoised: Float32Array[] = [];
  const leaves: TensorLeaf[] = [{ kind: "x", index: 0, bits: toHalf(states[0]) }];
  for (const [i, row] of plan.rows.entries()) {
    const noise = () => gaussianNoise(seed, i + 1, length);
    const output = gaussianNoise(777n, i, length);
    const input = { states, denoised, output, negativeOutput: undefined, guidanceScale: 1, noise };
    const step = stepLatent(row, input);
    states = [step.next, ...states].slice(0, 4);
    denoised = [step.denoised, ...denoised].slice(0, 4);
    leaves.push({ kind: "d", index: i, bits: toHalf(step.denoised) });
    leaves.push({ kind: "x", index: i + 1, bits: toHalf(step.next) });
  }
  return leaves;
}

/** The same receipt with other sketches, signed by its miner: a lie. */
export async function withSketch(
  receipt: Receipt,
  change: (sketches: PredictionSketch[]) => void,
): Promise<Receipt> {
  const sketches = sketchesOf(receipt) ?? [];
  change(sketches);
  const bytes = sketches.flatMap((each) => [...new Uint8Array(each.buffer)]);
  const { signature: _, ...statement } = receipt;
  const sketch = btoa(String.fromCharCode(...bytes));
  return await signReceipt({ ...statement, version: 2, sketch }, signer);
}
