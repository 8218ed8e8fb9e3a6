import type { Leaf } from "../denoise/mod.ts";
import type { Generation, ImageEngine, SourceImages } from "../generation/mod.ts";
import { fromHalf, toHalf } from "../half.ts";
import type { RgbaImage } from "../image/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";
import { MAX_REACH } from "../schedule/mod.ts";
import { stepFrom } from "./lab.ts";

/** A run as a miner commits to it. */
interface CommittedRun {
  readonly generation: Generation;
  /** In the transcript's order. */
  readonly leaves: readonly Leaf[];
}

/** A way to be paid for an image from another image for less than was asked. */
export interface SourceCheat {
  readonly name: string;
  readonly saves: string;
  /** @param source with an image. @param other one that the miner would rather start from. */
  run(
    engine: ImageEngine,
    request: GenerationRequest,
    source: SourceImages,
    other: RgbaImage,
  ): Promise<CommittedRun>;
}

export const sourceCheats: readonly SourceCheat[] = [
  {
    name: "strength lowered",
    saves: "half of the steps that strength asks for",
    run: async (engine, request, source) => {
      const less = { ...request, strength: (request.strength ?? 1) / 2 };
      const { generation, leaves } = await runOf(engine, less, source);
      return { generation: { ...generation, request }, leaves };
    },
  },
  {
    name: "an upscale without the refinement",
    saves: "every network call: each prediction is the source itself",
    run: unrefined,
  },
  {
    name: "another source image",
    saves: "nothing, but shows what the miner likes",
    run: (engine, request, source, other) => runOf(engine, request, { ...source, image: other }),
  },
  {
    name: "an ignored mask",
    saves: "nothing, but draws all anew",
    run: (engine, request, source) => {
      const { mask } = source;
      const white = mask && { ...mask, data: mask.data.slice().fill(255) };
      return runOf(engine, request, { ...source, mask: white });
    },
  },
];

async function runOf(
  engine: ImageEngine,
  request: GenerationRequest,
  source: SourceImages,
): Promise<CommittedRun> {
  const leaves: Leaf[] = [];
  const onLeaf = (leaf: Leaf) => void leaves.push(leaf);
  return { generation: await engine.generate(request, { source, onLeaf }), leaves };
}

/** All arithmetic is honest: only the network was not asked. */
async function unrefined(
  engine: ImageEngine,
  request: GenerationRequest,
  source: SourceImages,
): Promise<CommittedRun> {
  const { generation, leaves } = await runOf(engine, request, { image: source.image });
  const [kept, start] = leaves;
  const prediction = fromHalf(kept.bits);
  const forged: Leaf[] = [kept, start];
  let states: Float32Array[] = [fromHalf(start.bits)];
  let denoised: Float32Array[] = [];
  for (const [index, row] of generation.plan.rows.entries()) {
    const of = { states, denoised, prediction, seed: request.seed, index };
    const next = stepFrom(row, of);
    states = [next.next, ...states].slice(0, MAX_REACH);
    denoised = [next.denoised, ...denoised].slice(0, MAX_REACH);
    forged.push({ kind: "d", index, bits: toHalf(next.denoised) });
    forged.push({ kind: "x", index: index + 1, bits: toHalf(next.next) });
  }
  const image = await engine.decode(request, toHalf(states[0]));
  return { generation: { ...generation, images: [image] }, leaves: forged };
}
