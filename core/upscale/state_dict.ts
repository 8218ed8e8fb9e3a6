import { AppError } from "../error.ts";
import type { IndexedTensor, TensorIndex } from "../safetensors/mod.ts";

/** A network's configuration and tensors, as `core/architecture` takes them. */
export interface UpscalerPart {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: TensorIndex;
}

/**
 * Which network a file holds, by its tensors alone: no such file has a `config.json`. Names of BasicSR and
 * Real-ESRGAN, and of ESRGAN's first code, bare or under `params` as training scripts save them.
 * @param path for messages.
 * @throws AppError `model_invalid` for anything else.
 */
export function upscalerPart(all: TensorIndex, path: string): UpscalerPart {
  const tensors = renamed(all);
  const shape = (name: string) => tensors.get(name)?.shape;
  const config = rrdbConfig(tensors, shape) ?? compactConfig(tensors, shape) ??
    denseConfig(tensors, shape);
  if (config) return { config, tensors };
  const some = [...all.keys()].slice(0, 3).join(", ");
  throw new AppError(
    "model_invalid",
    `Cannot enlarge by ${path}: its tensors (${some}, ...) are none of ESRGAN, Real-ESRGAN or a residual ` +
      "dense network",
  );
}

type ShapeOf = (name: string) => readonly number[] | undefined;

/** Channels of the first layer: those of squares of 1, 2x2 or 4x4 pixels. */
const SCALES: Readonly<Record<number, number>> = { 3: 4, 12: 2, 48: 1 };

function rrdbConfig(tensors: TensorIndex, shape: ShapeOf) {
  const [first, growth] = [shape("conv_first.weight"), shape("body.0.rdb1.conv1.weight")];
  if (!first || !growth) return undefined;
  return {
    ...{ _class_name: "RRDBNet", num_feat: first[0], num_grow_ch: growth[0] },
    ...{ num_block: countOf(tensors, /^body\.(\d+)\.rdb1/), scale: SCALES[first[1]] },
  };
}

function compactConfig(tensors: TensorIndex, shape: ShapeOf) {
  const [first, slopes] = [shape("body.0.weight"), shape("body.1.weight")];
  if (!first || slopes?.length !== 1) return undefined;
  const layers = countOf(tensors, /^body\.(\d+)\./);
  const last = shape(`body.${layers - 1}.weight`);
  return {
    ...{ _class_name: "SRVGGNetCompact", num_feat: first[0], num_conv: (layers - 3) / 2 },
    upscale: Math.sqrt((last?.[0] ?? 0) / 3),
  };
}

function denseConfig(tensors: TensorIndex, shape: ShapeOf) {
  const [first, growth, last] = ["F_m1.weight", "F_1_1.weight", "UPN3.weight"].map(shape);
  if (!first || !growth || !last) return undefined;
  return {
    ...{ _class_name: "ResidualDenseNetwork", num_feat: first[0], num_grow_ch: growth[0] },
    num_block: countOf(tensors, /^LFF_(\d+)\.weight$/, 1),
    num_conv: countOf(tensors, /^F_1_(\d+)\.weight$/, 1),
    upscale: Math.sqrt(last[0] / 3),
  };
}

/** One more than the largest number in a name. @param first that counting begins at. */
function countOf(tensors: TensorIndex, name: RegExp, first = 0): number {
  const numbers = [...tensors.keys()].map((each) => Number(name.exec(each)?.[1] ?? -1));
  return Math.max(...numbers) + 1 - first;
}

/** Of ESRGAN's first code, and of what it saved before; in place of `#` stands a number. */
const OLD_NAMES: readonly (readonly [from: RegExp, to: string])[] = [
  [/^params(?:_ema)?\./, ""],
  [/^model\.0\./, "conv_first."],
  [/^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\./, "body.$1.rdb$2.conv$3."],
  [/^model\.1\.sub\.\d+\./, "conv_body."],
  [/^model\.3\./, "conv_up1."],
  [/^model\.6\./, "conv_up2."],
  [/^model\.8\./, "conv_hr."],
  [/^model\.10\./, "conv_last."],
  [/^RRDB_trunk\.(\d+)\.RDB(\d)\.conv(\d)\./, "body.$1.rdb$2.conv$3."],
  [/^trunk_conv\./, "conv_body."],
  [/^upconv(\d)\./, "conv_up$1."],
  [/^HRconv\./, "conv_hr."],
];

/** Where a file has both, what training averaged is what its authors mean. */
function renamed(all: TensorIndex): TensorIndex {
  const averaged = [...all.keys()].some((name) => name.startsWith("params_ema."));
  const own = [...all].filter(([name]) => !averaged || !name.startsWith("params."));
  return new Map(own.map(([old, tensor]): [string, IndexedTensor] => {
    const name = OLD_NAMES.reduce((text, [from, to]) => text.replace(from, to), old);
    return [name, { ...tensor, name }];
  }));
}
