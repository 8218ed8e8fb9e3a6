import type { Leaf } from "../denoise/mod.ts";
import type { ImageEngine, SourceImages } from "../generation/mod.ts";
import { fromHalf, toHalf } from "../half.ts";
import { encodeImage, type RgbaImage } from "../image/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";
import { MAX_REACH } from "../schedule/mod.ts";
import { fileHash } from "../transcript/mod.ts";
import { type AskedRun, type CommittedRun, runOf } from "./checked_run.ts";
import type { InputKind } from "./input_runs.ts";
import { stepFrom } from "./lab.ts";

/** What a miner commits to, and the files that its receipt names. */
export interface SourceCheatRun extends CommittedRun {
  readonly files: SourceImages;
}

/** A way to be paid for a run that starts from files for less than was asked, or for something else. */
export interface SourceCheat {
  readonly name: string;
  /** What is asked for. */
  readonly kind: InputKind;
  readonly saves: string;
  /** @param other an image that the miner would rather start from. */
  run(engine: ImageEngine, asked: AskedRun, other: RgbaImage): Promise<SourceCheatRun>;
}

export const sourceCheats: readonly SourceCheat[] = [
  {
    name: "strength lowered",
    kind: "image",
    saves: "half of the steps that strength asks for",
    run: (engine, asked) => {
      const { strength = 1 } = asked.request;
      return another(engine, asked, { fields: { strength: strength / 2 } });
    },
  },
  {
    name: "an upscale without the refinement",
    kind: "enlarged parent",
    saves: "every network call: each prediction is the source itself",
    run: unrefined,
  },
  {
    name: "another source image",
    kind: "image",
    saves: "nothing, but shows what the miner likes",
    run: (engine, asked, other) => another(engine, asked, { files: { image: other } }),
  },
  {
    name: "a stamp in the source image",
    kind: "image",
    saves: "nothing, but signs the image: 16 x 16 pixels, 10 levels off",
    run: (engine, asked) => {
      const { image } = asked.files ?? {};
      return another(engine, asked, { files: { image: image && stamped(image, FAINT) } });
    },
  },
  {
    name: "an ignored mask",
    kind: "mask",
    saves: "nothing, but draws all anew",
    run: (engine, asked) => {
      const { mask } = asked.files ?? {};
      const white = mask && { ...mask, data: mask.data.slice().fill(255) };
      return another(engine, asked, { files: { mask: white } });
    },
  },
  {
    name: "ControlNet left out",
    kind: "control",
    saves: "the ControlNet's part of each call",
    run: (engine, asked) =>
      another(engine, asked, { fields: { control: [] }, files: { controls: [] } }),
  },
  {
    name: "ControlNet left out of the last half",
    kind: "control",
    saves: "half of that",
    run: (engine, asked) => another(engine, asked, { fields: controlOf(asked, { end: 0.5 }) }),
  },
  {
    name: "ControlNet's scale lowered",
    kind: "control",
    saves: "nothing, but keeps to the edges less: 0.7 of 1",
    run: (engine, asked) => another(engine, asked, { fields: controlOf(asked, { scale: 0.7 }) }),
  },
  {
    name: "another control image",
    kind: "control",
    saves: "nothing, but draws other edges",
    run: (engine, asked, other) => another(engine, asked, { files: { controls: [other] } }),
  },
  {
    name: "a stamp in the control image",
    kind: "control",
    saves: "nothing, but signs the image: edges of 8 x 8 pixels more",
    run: (engine, asked) => {
      const controls = asked.files?.controls?.map((image) => stamped(image, PLAIN));
      return another(engine, asked, { files: { controls } });
    },
  },
  {
    name: "a parent that is not the source",
    kind: "parent",
    saves: "nothing, but gives an image a past that it has not",
    run: adopted,
  },
  {
    name: "an enlargement of another image",
    kind: "enlarged parent",
    saves: "the same, where an upscaler stands between",
    run: adopted,
  },
];

/** An honest run of something else, under the request that was asked for. */
async function another(
  engine: ImageEngine,
  { request, files = {} }: AskedRun,
  instead: { readonly fields?: Partial<GenerationRequest>; readonly files?: SourceImages },
): Promise<SourceCheatRun> {
  const { generation, leaves } = await runOf(engine, {
    request: { ...request, ...instead.fields },
    files: { ...files, ...instead.files },
  });
  return { generation: { ...generation, request }, leaves, files };
}

/** The receipt names the image that was started from, and somebody else's parent. */
async function adopted(
  engine: ImageEngine,
  { request, files: asked }: AskedRun,
  other: RgbaImage,
): Promise<SourceCheatRun> {
  const files = { ...asked, image: other };
  const image = fileHash(await encodeImage(other, "png"));
  return { ...await runOf(engine, { request: { ...request, image }, files }), files };
}

function controlOf({ request: { control } }: AskedRun, change: object) {
  return { control: control.map((use) => ({ ...use, ...change })) };
}

/** A square: pixels of its side, and how far it is off in levels of 255. */
type Stamp = Readonly<Record<"side" | "levels", number>>;

const FAINT: Stamp = { side: 16, levels: 10 };
/** Enough of a step for an edge. */
const PLAIN: Stamp = { side: 8, levels: 128 };

/** In the middle of the image. */
function stamped(image: RgbaImage, { side, levels }: Stamp): RgbaImage {
  const { width, height } = image;
  const data = image.data.slice();
  const [left, top] = [width, height].map((all) => (all - side) >> 1);
  for (let i = 0; i < side ** 2; i++) {
    const at = 4 * ((top + Math.floor(i / side)) * width + left + i % side);
    for (let c = at; c < at + 3; c++) data[c] += data[c] < 128 ? levels : -levels;
  }
  return { ...image, data };
}

/** All arithmetic is honest: only the network was not asked. */
async function unrefined(
  engine: ImageEngine,
  { request, files = {} }: AskedRun,
): Promise<SourceCheatRun> {
  const { generation, leaves } = await runOf(engine, { request, files });
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
  return { generation: { ...generation, images: [image] }, leaves: forged, files };
}
